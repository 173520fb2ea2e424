package import BackupAPI

/// A frame that was fetched, or could not be.
package struct FetchedFrame: Sendable {
    package let number: Int
    package let frame: Frame
}

/// Reads stored frames of an archive in order, decodes them on all workers, and hands each out once, in any order.
///
/// The one way back from stored bytes to plain ones: restore, verify and archive all walk with it. Memory is `workers` × 2 + 2
/// frames, whatever the size of the archive.
package struct FrameWalk: Sendable {
    package let backend: any StorageBackend
    package let workers: Int
    package let codecs: CodecRegistry
    package let keys: KeyRing

    package init(backend: any StorageBackend, codecs: CodecRegistry, keys: KeyRing, workers: Int) {
        self.backend = backend
        self.workers = workers
        self.codecs = codecs
        self.keys = keys
    }

    /// The chain that a backup was encoded with.
    package func chain(of record: BackupRecord) throws -> CodecChain {
        CodecChain(
            try record.codecs.map { used in
                guard let factory = codecs.factory(named: used.name) else {
                    throw EngineError(.unsupportedFormat, "the codec '\(used.name)' is not part of this program")
                }
                return try factory.make(used.parameters["level"].flatMap { Int($0) }, keys)
            })
    }

    /// Walks the wanted frames of one archive.
    ///
    /// - Parameters:
    ///   - wanted: frame numbers, ascending.
    ///   - visit: called on a worker with each frame's plain bytes, for frames between wanted ones too.
    ///   - damaged: called for each frame that is not what was stored; when it returns, the walk goes on.
    package func walk(
        record: BackupRecord, archive: BackupIndex.Archive, wanted: [Int],
        visit: @escaping @Sendable (_ number: Int, _ plain: FrameBuffer) async throws -> Void,
        damaged: @escaping @Sendable (EngineError) throws -> Void
    ) async throws {
        guard !wanted.isEmpty else { return }
        let chain = try chain(of: record)
        let plan = try ArchivePlan(record: record, archive: archive)
        let free = Mailbox<Frame>()
        let fetched = Mailbox<FetchedFrame>()
        let storedByteCount = chain.maximumEncodedByteCount(forPlain: record.frames.frameByteCount)
        guard plan.largestFrameByteCount <= storedByteCount else {
            throw EngineError(.indexDamaged, "a frame of '\(archive.name)' is larger than any can be")
        }
        for _ in 0..<min(wanted.count, workers * 2 + 2) {
            free.send(Frame(plainByteCount: record.frames.frameByteCount, storedByteCount: storedByteCount))
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await fetch(wanted, plan: plan, free: free, fetched: fetched, chain: chain, damaged: damaged)
                fetched.finish()
            }
            for _ in 0..<min(workers, wanted.count) {
                group.addTask {
                    let decoding = FrameDecoding(plan: plan, visit: visit, damaged: damaged)
                    while let next = try await fetched.next() {
                        try await decoding.run(next)
                        free.send(next.frame)
                    }
                }
            }
            // Not `waitForAll`, which waits for the others even when one has failed.
            while try await group.next() != nil {}
        }
    }

    private func fetch(
        _ wanted: [Int], plan: ArchivePlan, free: Mailbox<Frame>, fetched: Mailbox<FetchedFrame>, chain: CodecChain,
        damaged: @Sendable (EngineError) throws -> Void
    ) async throws {
        for run in plan.runs(of: wanted) {
            do {
                try await fetch(run, plan: plan, free: free, fetched: fetched, chain: chain)
            } catch let error as EngineError where error.reason == .objectDamaged {
                try damaged(error.about(plan.record.label))
            } catch let error as CodecError {
                let words = "'\(plan.path(volume: run.volume))' of \(plan.record.label): \(error)"
                try damaged(EngineError(.objectDamaged, words))
            } catch let fault as StorageError {
                let path = plan.path(volume: run.volume)
                guard let damage = EngineError(damageOf: path, of: plan.record.label, fault) else { throw fault }
                try damaged(damage)
            }
        }
    }

    /// Fetches neighbouring frames of one volume with one reading.
    private func fetch(
        _ run: ArchivePlan.Run, plan: ArchivePlan, free: Mailbox<Frame>, fetched: Mailbox<FetchedFrame>,
        chain: CodecChain
    ) async throws {
        let key = try plan.key(volume: run.volume)
        var header: [UInt8] = []
        let isFromStart = run.frames.lowerBound % plan.record.frames.framesPerVolume == 0
        if plan.archive.headerByteCount > 0, !isFromStart {
            header = try await backend.read(
                key, range: ByteRange(offset: 0, count: plan.archive.headerByteCount), limit: 1 << 20)
        }
        let start = isFromStart ? 0 : plan.offset(of: run.frames.lowerBound)
        let end = plan.offset(of: run.frames.upperBound - 1) + plan.byteCount(of: run.frames.upperBound - 1)
        let isWhole = isFromStart && plan.isLastOfVolume(run.frames.upperBound - 1)
        if isWhole { try await requireSize(end, of: key, path: plan.path(volume: run.volume)) }
        let reader = try await backend.openRead(
            key, range: isWhole ? nil : ByteRange(offset: start, count: end - start))
        do {
            if isFromStart, plan.archive.headerByteCount > 0 {
                let buffer = FrameBuffer(capacity: plan.archive.headerByteCount)
                try await buffer.fillUp(
                    to: plan.archive.headerByteCount, from: reader, path: plan.path(volume: run.volume))
                header = buffer.bytes
            }
            let object = try chain.openObject(plan.identity(volume: run.volume), header: header)
            for number in run.frames {
                guard let frame = try await free.next() else { throw CancellationError() }
                frame.stored.clear()
                frame.number = number
                frame.object = object
                frame.position = plan.position(of: number)
                do {
                    try await frame.stored.fillUp(
                        to: plan.byteCount(of: number), from: reader, path: plan.path(volume: run.volume))
                } catch {
                    free.send(frame)
                    throw error
                }
                fetched.send(FetchedFrame(number: number, frame: frame))
            }
        } catch {
            await reader.close()
            throw error
        }
        await reader.close()
    }

    private func requireSize(_ expected: Int, of key: ObjectKey, path: String) async throws {
        let found = try await backend.stat(key).byteCount
        guard found == expected else {
            throw EngineError(.objectDamaged, "'\(path)' has \(found) bytes, the backup wrote \(expected)")
        }
    }
}

/// One worker's decoding.
private final class FrameDecoding {
    private let plan: ArchivePlan
    private let visit: @Sendable (Int, FrameBuffer) async throws -> Void
    private let damaged: @Sendable (EngineError) throws -> Void
    private var decoder: (volume: Int, decoder: ChainDecoder)?

    init(
        plan: ArchivePlan, visit: @escaping @Sendable (Int, FrameBuffer) async throws -> Void,
        damaged: @escaping @Sendable (EngineError) throws -> Void
    ) {
        self.plan = plan
        self.visit = visit
        self.damaged = damaged
    }

    func run(_ fetched: FetchedFrame) async throws {
        do {
            try decode(fetched)
        } catch let error as CodecError {
            return try damaged(plan.damage(of: fetched.number, error.summary))
        } catch let error as EngineError {
            return try damaged(error)
        }
        try await visit(fetched.number, fetched.frame.plain)
    }

    private func decode(_ fetched: FetchedFrame) throws {
        let frame = fetched.frame
        guard frame.stored.checksum == plan.archive.frames[fetched.number].checksum else {
            throw plan.damage(of: fetched.number, "the stored bytes are not those that were written")
        }
        let volume = plan.volume(of: fetched.number)
        if decoder?.volume != volume, let object = frame.object {
            decoder = (volume, try object.makeDecoder(frameByteCount: plan.record.frames.frameByteCount))
        }
        guard let decoder = decoder?.decoder else { return }
        try frame.stored.withBytes { (stored: RawSpan) throws(CodecError) in
            try decoder.decode(stored, at: frame.position, into: frame.plain)
        }
        guard frame.plain.count == plan.plainByteCount(of: fetched.number) else {
            throw plan.damage(of: fetched.number, "it holds \(frame.plain.count) bytes")
        }
    }
}
