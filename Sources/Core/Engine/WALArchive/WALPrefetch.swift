import BackupAPI
import Logging
import PostgresClient

/// Brings the segments behind one into the spool, in their order, and keeps a number of them there while they are taken.
package struct WALPrefetch: Sendable {
    /// Most bytes that wait in the spool.
    private static let byteLimit = 256 << 20
    /// How many segments are fetched at once.
    private static let concurrency = 4
    private static let pollingInterval: Duration = .milliseconds(20)

    private let sources: [WALSource]
    private let spool: WALSpool
    private let aheadCount: Int
    private let patience: Duration

    /// - Parameters:
    ///   - aheadCount: how many segments shall be in the spool.
    ///   - patience: how long it waits for one of them to be taken.
    package init(sources: [WALSource], spool: WALSpool, aheadCount: Int, patience: Duration) {
        self.sources = sources
        self.spool = spool
        self.aheadCount = aheadCount
        self.patience = patience
    }

    /// How many segments of a size may wait.
    static func capacity(_ aheadCount: Int, byteCount: Int) -> Int { min(aheadCount, byteLimit / max(1, byteCount)) }

    /// Runs until the archive does not give the next segment and all others are taken, nobody takes one for a while, or the spool
    /// is cleared. What nobody took by then waits there.
    ///
    /// What goes wrong here is of no concern to anybody: who wants a segment that did not come fetches it, and hears of the fault.
    package func run(after name: WALFileName, holding lock: SpoolLock) async throws {
        defer { spool.leave(lock) }
        guard let (archive, record) = await find(name) else { return }
        let capacity = Self.capacity(aheadCount, byteCount: record.bytes)
        var upcoming = name.next(1, byteCount: record.bytes).first
        try await withThrowingTaskGroup(of: (name: WALFileName, isThere: Bool)?.self) { group in
            defer { group.cancelAll() }
            // What is under way may take minutes to fail where the storage hangs.
            group.addTask {
                while lock.isWanted { try await Task.sleep(for: .milliseconds(200)) }
                return nil
            }
            var isUsed = false
            var underWay: Set<String> = []
            var waiting = spool.segments()
            var lastChange = ContinuousClock.now
            while lock.isWanted {
                // Until one was taken only two come: a server that asks once, or rarely, does not load all of them.
                let room = isUsed ? capacity : min(capacity, 2)
                while let next = upcoming, underWay.count < Self.concurrency, waiting.count + underWay.count < room {
                    if !waiting.contains(next.string) {
                        underWay.insert(next.string)
                        group.addTask { (next, await isBrought(next, from: archive)) }
                    }
                    upcoming = next.next(1, byteCount: record.bytes).first
                }
                lock.announce(underWay)
                // One that was brought may have been taken before anybody looked.
                var known = waiting
                if !underWay.isEmpty, let ended = try await group.next() {
                    guard let ended else { return }
                    underWay.remove(ended.name.string)
                    if ended.isThere { known.insert(ended.name.string) } else { upcoming = nil }
                } else {
                    let isDone = upcoming == nil && waiting.isEmpty
                    guard !isDone, .now - lastChange < patience else { return }
                    try await Task.sleep(for: Self.pollingInterval)
                }
                let present = spool.segments()
                if !present.isSuperset(of: known) { isUsed = true }
                if present != waiting { lastChange = .now }
                waiting = present
            }
        }
    }

    /// The first archive that has a segment.
    private func find(_ name: WALFileName) async -> (WALArchive, ArchivedWAL)? {
        for source in sources {
            guard let archive = try? await source.archive(), let record = try? await archive.record(name) else {
                continue
            }
            return (archive, record)
        }
        return nil
    }

    /// Fetches a segment into the spool.
    private func isBrought(_ name: WALFileName, from archive: WALArchive) async -> Bool {
        do {
            guard let record = try await archive.record(name) else { return false }
            let draft = try spool.makeDraft()
            defer { draft.discard() }
            let checksum = try await archive.write(record, name, to: draft)
            try spool.add(name, draft, checksum: checksum)
            return true
        } catch {
            Logger.current.info(
                "a segment could not be fetched ahead",
                metadata: [LogKeys.file: "\(name)", LogKeys.error: "\(error)"])
            return false
        }
    }
}

extension WALFileName {
    /// The segments that come next; none behind a file that is no segment.
    /// - Parameter byteCount: a segment's size.
    func next(_ count: Int, byteCount: Int) -> [WALFileName] {
        guard kind == .segment, let size = WALSegmentSize(byteCount: byteCount),
            let segment = WALSegment(name: string, size: size)
        else { return [] }
        return (0..<count).compactMap { index in
            let start = segment.end.advanced(by: index * byteCount)
            return WALFileName(WALSegment(containing: start, timeline: segment.timeline, size: size).name)
        }
    }
}
