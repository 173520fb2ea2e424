import BackupAPI
import Logging

/// Fetches files from a WAL archive: what `restore_command` asks for.
///
/// PostgreSQL asks for one segment after the other, and waits for each. So the process that fetched one starts another, a
/// `WALPrefetch`, which brings the next ones into the spool while PostgreSQL replays.
package struct WALFetch: Sendable {
    /// Starts a `WALPrefetch` behind a segment, which goes on when this process has ended.
    package typealias PrefetchStarter = @Sendable (WALFileName, SpoolLock) throws -> Void

    private static let pollingInterval: Duration = .milliseconds(3)

    private let sources: [WALSource]
    private let spool: WALSpool
    private let aheadCount: Int
    private let waitingLimit: Duration
    private let clock: @Sendable () -> Int
    private let startPrefetch: PrefetchStarter

    /// - Parameters:
    ///   - aheadCount: how many segments behind the one that is wanted shall be in the spool; 0 starts nothing.
    ///   - waitingLimit: how long a segment is waited for that another process is bringing.
    ///   - clock: seconds since 1970.
    package init(
        sources: [WALSource], spool: WALSpool, aheadCount: Int, waitingLimit: Duration = .seconds(30),
        clock: @escaping @Sendable () -> Int, startPrefetch: @escaping PrefetchStarter
    ) {
        self.sources = sources
        self.spool = spool
        self.aheadCount = aheadCount
        self.waitingLimit = waitingLimit
        self.clock = clock
        self.startPrefetch = startPrefetch
    }

    /// Writes a file to `path`, whole and proven, in place of what may be there.
    /// - Returns: false when no target has it, and each of them said so.
    /// - Throws: the first fault, when the file was not found: then nobody knows whether a target has it.
    package func run(_ name: WALFileName, to path: String) async throws -> Bool {
        if name.kind == .segment, try await take(name, to: path) { return true }
        var faults: [(target: String, error: any Error)] = []
        for source in sources {
            do {
                let archive = try await source.archive()
                guard let record = try await archive.record(name) else { continue }
                keepFilling(after: name, byteCount: record.bytes)
                let draft = try DraftFile(replacing: path)
                defer { draft.discard() }
                _ = try await archive.write(record, name, to: draft)
                try draft.publish()
                for fault in faults { warn(fault.target, fault.error) }
                return true
            } catch {
                guard !Task.isCancelled, (error as? EngineError)?.isOfFiles != true else { throw error }
                faults.append((source.name, error))
            }
        }
        if let first = faults.first { throw first.error }
        if name.kind == .segment {
            for source in sources { try await source.archive().requireNotRemoved(name) }
        }
        // What was fetched ahead is behind the end of the way.
        spool.clear()
        return false
    }

    /// Takes a segment from the spool, also one that another process is just bringing.
    /// - Returns: whether it is at `path` now.
    private func take(_ name: WALFileName, to path: String) async throws -> Bool {
        let deadline = ContinuousClock.now + waitingLimit
        while true {
            // Asked first: what a process brought before it ended is seen then.
            let isComing = spool.isComing(name)
            if let byteCount = try spool.take(name, to: path, now: clock()) {
                keepFilling(after: name, byteCount: byteCount)
                return true
            }
            guard isComing, .now < deadline else { return false }
            try await Task.sleep(for: Self.pollingInterval)
        }
    }

    /// Starts the process that fetches ahead, unless there is one or enough is there. When that fails, each segment is fetched when
    /// it is wanted.
    private func keepFilling(after name: WALFileName, byteCount: Int) {
        let next = name.next(WALPrefetch.capacity(aheadCount, byteCount: byteCount), byteCount: byteCount)
        let present = spool.segments()
        guard next.count(where: { present.contains($0.string) }) < (next.count + 1) / 2 else { return }
        do {
            guard let lock = try spool.lock() else { return }
            spool.keepOnly(next)
            try startPrefetch(name, lock)
        } catch {
            Logger.current.info(
                "segments are not fetched ahead",
                metadata: [LogKeys.file: "\(name)", LogKeys.error: "\(error)"])
        }
    }

    private func warn(_ target: String, _ error: any Error) {
        Logger.current.warning(
            "a target could not give a file of the WAL archive",
            metadata: [LogKeys.target: "\(target)", LogKeys.error: "\(error)"])
    }
}

extension EngineError {
    /// Whether it tells of the file that is written and not of the place that is read.
    fileprivate var isOfFiles: Bool { [.fileUnusable, .noSpace].contains(reason) }
}
