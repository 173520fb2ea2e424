import BackupAPI

/// Writes one object: with one request when it fits into one part, else part by part.
///
/// Up to `concurrency` parts are on their way while the next one is filled, so that memory is bounded by
/// (`concurrency` + 1) × the part size. One task uses it.
final class S3Sink: UploadDriver, @unchecked Sendable {
    private typealias Sending = (pending: Pending<ObjectWriting.Part, S3Fault>, block: MemoryBlock)

    private let client: S3Client
    private let key: ObjectKey
    private let writing: ObjectWriting
    private let isCheckedBefore: Bool
    private let plan: PartPlan
    private let cancel = CancelFlag()
    private var block: MemoryBlock
    private var upload: String?
    private var sending: [Sending] = []
    private var parts: [ObjectWriting.Part] = []
    private var failure: StorageError?
    private var isOver = false

    /// Begins an object; nothing is sent yet.
    /// - Parameter isCheckedBefore: whether to look for the object before the commit, where the server does not decide.
    init(
        client: S3Client, key: ObjectKey, fullKey: String, isCreateOnly: Bool, isCheckedBefore: Bool,
        expectedByteCount: Int?
    ) {
        self.client = client
        self.key = key
        self.isCheckedBefore = isCheckedBefore
        writing = ObjectWriting(client: client, key: fullKey, isCreateOnly: isCreateOnly)
        plan = PartPlan(firstPartByteCount: client.configuration.partByteCount)
        block = MemoryBlock(capacity: min(max(expectedByteCount ?? 65_536, 0), plan.firstPartByteCount))
    }

    deinit {
        // An upload that was dropped leaves nothing behind.
        guard !isOver, let upload else { return }
        cancel.set()
        let (writing, sending) = (writing, sending)
        Task { await S3Sink.abort(upload, of: writing, after: sending) }
    }

    func write(_ bytes: RawSpan) async throws(StorageError) {
        if let failure { throw failure }
        guard !Task.isCancelled else { throw fail(cancelled, .write) }
        var offset = 0
        while offset < bytes.byteCount {
            let room = plan.byteCount(ofPart: nextPartNumber)
            if block.count == room {
                try await startPart()
                continue
            }
            let count = min(room - block.count, bytes.byteCount - offset)
            block.grow(toHold: block.count + count, atMost: room)
            block.append(bytes.extracting(offset..<offset + count))
            offset += count
        }
    }

    func commit() async throws(StorageError) {
        do throws(StorageError) {
            if let failure { throw failure }
            guard !Task.isCancelled else { throw fail(cancelled, .commit) }
            try await makeVisible()
            isOver = true
        } catch {
            await abort()
            throw error
        }
    }

    func abort() async {
        guard !isOver else { return }
        isOver = true
        cancel.set()
        guard let upload else { return }
        await S3Sink.abort(upload, of: writing, after: sending)
        sending = []
    }

    private var nextPartNumber: Int { parts.count + sending.count + 1 }

    private func makeVisible() async throws(StorageError) {
        guard let upload else {
            try await blocking(.commit) { () throws(S3Fault) in
                try checkAbsence()
                try writing.putWhole(block, cancel: cancel)
            }
            return
        }
        if block.count > 0 { try await startPart() }
        while !sending.isEmpty { try await finishOldestPart() }
        try await blocking(.commit) { () throws(S3Fault) in
            try checkAbsence()
            try writing.complete(upload, parts: parts, cancel: cancel)
        }
    }

    private func checkAbsence() throws(S3Fault) {
        if isCheckedBefore, try writing.exists(cancel: cancel) { throw .exists }
    }

    /// Sends the block on a thread of its own and takes another one.
    private func startPart() async throws(StorageError) {
        guard nextPartNumber <= PartPlan.maximumPartCount else {
            throw fail(.malformed("the object has more than \(PartPlan.maximumPartCount) parts"), .write)
        }
        let identifier: String
        if let upload {
            identifier = upload
        } else {
            identifier = try await blocking(.write) { () throws(S3Fault) in try writing.begin(cancel: cancel) }
            upload = identifier
        }
        var spare: MemoryBlock?
        while !hasRoom { spare = try await finishOldestPart() }
        let (number, full, work, flag) = (nextPartNumber, block, writing, cancel)
        let pending = Pending<ObjectWriting.Part, S3Fault> {
            do throws(S3Fault) {
                return .success(try work.put(part: number, of: identifier, full, cancel: flag))
            } catch {
                return .failure(error)
            }
        }
        sending.append((pending, full))
        block = spare ?? MemoryBlock(capacity: plan.byteCount(ofPart: nextPartNumber))
    }

    /// Whether one more part may be on its way: large parts late in a large object go fewer at once.
    private var hasRoom: Bool {
        let limit = client.configuration.concurrency
        let inFlight = sending.reduce(0) { $0 + $1.block.count }
        return sending.isEmpty
            || (sending.count < limit && inFlight + block.count <= limit * plan.firstPartByteCount)
    }

    /// Waits for the part that was sent first.
    /// - Returns: its block, empty, for the next bytes.
    @discardableResult
    private func finishOldestPart() async throws(StorageError) -> MemoryBlock {
        let oldest = sending.removeFirst()
        let flag = cancel
        let result = await withTaskCancellationHandler {
            await oldest.pending.result()
        } onCancel: {
            flag.set()
        }
        do throws(S3Fault) {
            parts.append(try result.get())
        } catch {
            throw fail(error, .write)
        }
        oldest.block.removeAll()
        return oldest.block
    }

    private func blocking<Value: Sendable>(
        _ operation: StorageError.Operation, _ body: () throws(S3Fault) -> Value
    ) async throws(StorageError) -> Value {
        do throws(S3Fault) {
            return try await cancel.whileRunning(body)
        } catch {
            throw fail(error, operation)
        }
    }

    private var cancelled: S3Fault { .transport(TransportFault(kind: .cancelled, words: "", wasSent: false)) }

    private func fail(_ fault: S3Fault, _ operation: StorageError.Operation) -> StorageError {
        // Whatever the fault, what is on its way is of no use any more.
        cancel.set()
        let error = client.errors.error(fault, operation: operation, key: key.string)
        failure = error
        return error
    }

    private static func abort(_ upload: String, of writing: ObjectWriting, after sending: [Sending]) async {
        for part in sending { _ = await part.pending.result() }
        _ = await Pending<Void, Never> {
            writing.abort(upload)
            return .success(())
        }.result()
    }
}
