package import BackupAPI
import Synchronization

/// Reads stored frames, decodes them on all workers, and hands each out once, in any order.
///
/// The one way back from stored bytes to plain ones: restore, verify and archive all walk with it. Memory is `workers` × 2 + 2
/// frames, whatever the number of archives and their sizes.
package struct FrameWalk: Sendable {
    /// What is wanted of one archive.
    package struct Part: Sendable {
        package var plan: ArchivePlan
        /// Frame numbers, ascending.
        package var wanted: [Int]

        package init(plan: ArchivePlan, wanted: [Int]) {
            self.plan = plan
            self.wanted = wanted
        }
    }

    /// How many runs of frames are fetched at once, where the storage gains by it: what is next is then on its way already.
    private static let mostReadings = 4

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
        try CodecChain(record.codecs, codecs: codecs, keys: keys)
    }

    /// A few plain bytes of an archive.
    /// - Throws: the first damage that is found.
    func bytes(_ range: Range<Int>, of plan: ArchivePlan) async throws -> [UInt8] {
        let content = Mutex([UInt8](repeating: 0, count: range.count))
        let size = plan.record.frames.frameByteCount
        try await walk([Part(plan: plan, wanted: Array(plan.frames(holding: range)))]) { _, number, plain in
            let start = number * size
            let wanted = range.clamped(to: start..<start + plain.count)
            let bytes = plain.bytes[wanted.lowerBound - start..<wanted.upperBound - start]
            content.withLock {
                $0.replaceSubrange(
                    wanted.lowerBound - range.lowerBound..<wanted.upperBound - range.lowerBound, with: bytes)
            }
        } damaged: {
            throw $0
        }
        return content.withLock { $0 }
    }

    /// Walks the wanted frames of all parts.
    ///
    /// - Parameters:
    ///   - visit: called on a worker with each frame's plain bytes, for frames between wanted ones too. `part` is an index into
    ///     `parts`.
    ///   - damaged: called for each frame that is not what was stored; when it returns, the walk goes on.
    package func walk(
        _ parts: [Part],
        visit: @escaping @Sendable (_ part: Int, _ number: Int, _ plain: FrameBuffer) async throws -> Void,
        damaged: @escaping @Sendable (EngineError) throws -> Void
    ) async throws {
        let readings = Mailbox<FrameFetch.Reading>()
        var largest = (plain: 0, stored: 0)
        var frameCount = 0
        var readingCount = 0
        for (index, part) in parts.enumerated() where !part.wanted.isEmpty {
            let chain = try chain(of: part.plan.record)
            let size = part.plan.record.frames.frameByteCount
            let storedSize = chain.maximumEncodedByteCount(forPlain: size)
            guard part.plan.largestFrameByteCount <= storedSize else {
                throw EngineError(
                    .indexDamaged, "a frame of '\(part.plan.archive.name)' is larger than any can be")
            }
            largest = (max(largest.plain, size), max(largest.stored, storedSize))
            frameCount += part.wanted.count
            for run in part.plan.runs(of: part.wanted) {
                readings.send(.init(part: index, plan: part.plan, chain: chain, run: run))
                readingCount += 1
            }
        }
        readings.finish()
        let fetch = FrameFetch(backend: backend, damaged: damaged)
        for _ in 0..<min(frameCount, workers * 2 + 2) {
            fetch.free.send(Frame(plainByteCount: largest.plain, storedByteCount: largest.stored))
        }
        let readers = min(FrameWalk.mostReadings, max(1, backend.capabilities.usefulConcurrency), readingCount)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<readers {
                        group.addTask { while let next = try await readings.next() { try await fetch.run(next) } }
                    }
                    while try await group.next() != nil {}
                }
                fetch.fetched.finish()
            }
            for _ in 0..<min(workers, frameCount) {
                group.addTask {
                    let decoding = FrameDecoding(mostDecoders: readers, visit: visit, damaged: damaged)
                    while let next = try await fetch.fetched.next() {
                        try await decoding.run(next)
                        fetch.free.send(next.frame)
                    }
                }
            }
            // Not `waitForAll`, which waits for the others even when one has failed.
            while try await group.next() != nil {}
        }
    }
}
