import BackupAPI

/// Reads one object, or a run of it, from front to back.
///
/// Up to 8 MiB cost one request, made when it is opened. More is fetched in runs of 8 MiB, `concurrency` of them ahead. Of several
/// readings of a client each has its part of these, so that they need no more memory than one; where that is none, a run is
/// fetched when it is wanted. All runs are of the version that was seen first. One task uses it.
final class S3Source: ObjectReader, @unchecked Sendable {
    /// Bytes of one request.
    static let runByteCount = 8 << 20

    private let client: S3Client
    private let key: ObjectKey
    private let fullKey: String
    private let end: Int
    private let entityTag: String?
    private let cancel: CancelFlag
    private var block: MemoryBlock
    private var taken = 0
    private var nextOffset: Int
    private var failure: StorageError?
    private var fetching: [Pending<RangeFetch.Outcome, S3Fault>] = []
    /// Its part of what may be fetched ahead; nil when it is closed.
    private var share: ReadingShare?

    /// Fetches the first run.
    /// - Throws: `.notFound` among others.
    static func open(
        client: S3Client, key: ObjectKey, fullKey: String, range: ByteRange?
    ) async throws(StorageError) -> S3Source {
        let cancel = CancelFlag()
        // It counts from the first run on, so that the others fetch less beside it.
        let share = ReadingShare(client.readings)
        let offset = range?.offset ?? 0
        let count = min(range?.count ?? Int.max, Int.max - offset)
        do throws(S3Fault) {
            let first = try await cancel.whileRunning { () throws(S3Fault) in
                // A run of no bytes is asked for as one byte, to learn whether the object is there.
                try RangeFetch(
                    client: client, key: fullKey, offset: offset, count: max(1, min(count, runByteCount)),
                    entityTag: nil
                ).run(cancel: cancel)
            }
            return S3Source(
                client: client, key: key, fullKey: fullKey, first: first, offset: offset, count: count, cancel: cancel,
                share: share)
        } catch {
            throw client.errors.error(error, operation: .read, key: key.string)
        }
    }

    private init(
        client: S3Client, key: ObjectKey, fullKey: String, first: RangeFetch.Outcome, offset: Int, count: Int,
        cancel: CancelFlag, share: ReadingShare
    ) {
        self.client = client
        self.key = key
        self.fullKey = fullKey
        self.cancel = cancel
        end = min(offset + count, max(offset, first.objectByteCount))
        entityTag = first.entityTag
        block = count == 0 ? MemoryBlock() : first.block
        nextOffset = offset + first.block.count
        self.share = share
    }

    deinit { cancel.set() }

    func read(into buffer: inout OutputRawSpan) async throws(StorageError) -> Int {
        if let failure { throw failure }
        guard buffer.freeCapacity > 0 else { return 0 }
        if taken == 0 { fetchAhead() }
        if taken == block.count {
            guard try await takeNextRun() else { return 0 }
        }
        let count = min(buffer.freeCapacity, block.count - taken)
        // Sound: both runs lie within their buffers, by the line above.
        unsafe buffer.withUnsafeMutableBytes { (room: UnsafeMutableRawBufferPointer, filled: inout Int) in
            let source = unsafe UnsafeRawBufferPointer(rebasing: block.bytes[taken..<taken + count])
            unsafe UnsafeMutableRawBufferPointer(rebasing: room[filled..<filled + count]).copyMemory(from: source)
            filled += count
        }
        taken += count
        return count
    }

    func close() async {
        cancel.set()
        fetching = []
        block = MemoryBlock()
        taken = 0
        nextOffset = end
        share = nil
    }

    /// Takes the next run when the last one is used up.
    /// - Returns: false at the end.
    private func takeNextRun() async throws(StorageError) -> Bool {
        fetchAhead(atLeast: 1)
        guard !fetching.isEmpty else { return false }
        let pending = fetching.removeFirst()
        // The memory of the run that was used up is given back before the next one comes.
        block = MemoryBlock()
        taken = 0
        let flag = cancel
        let result = await withTaskCancellationHandler {
            await pending.result()
        } onCancel: {
            flag.set()
        }
        do throws(S3Fault) {
            block = try result.get().block
        } catch {
            // Runs behind the one that is missing are of no use.
            cancel.set()
            fetching = []
            nextOffset = end
            let failure = client.errors.error(error, operation: .read, key: key.string)
            self.failure = failure
            throw failure
        }
        fetchAhead()
        return true
    }

    private func fetchAhead(atLeast least: Int = 0) {
        guard let share else { return }
        let most = max(least, share.part(of: client.configuration.concurrency))
        while nextOffset < end, fetching.count < most {
            let fetch = RangeFetch(
                client: client, key: fullKey, offset: nextOffset, count: min(S3Source.runByteCount, end - nextOffset),
                entityTag: entityTag)
            let flag = cancel
            fetching.append(
                Pending {
                    do throws(S3Fault) {
                        return .success(try fetch.run(cancel: flag))
                    } catch {
                        return .failure(error)
                    }
                })
            nextOffset += fetch.count
        }
    }
}
