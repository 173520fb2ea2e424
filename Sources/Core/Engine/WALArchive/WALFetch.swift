import BackupAPI
import CEngine
import Logging
import PostgresClient
import Synchronization
import WALFormat

/// A target whose WAL archive is looked at when it is needed, and once.
package final class WALSource: Sendable {
    package let name: String
    private let open: @Sendable () async throws -> WALArchive
    private let opened = Mutex<Result<WALArchive, any Error>?>(nil)

    /// - Parameter open: opens the archive; what it throws is a fault of the target.
    package init(name: String, open: @escaping @Sendable () async throws -> WALArchive) {
        self.name = name
        self.open = open
    }

    /// The archive. One task asks at a time.
    package func archive() async throws -> WALArchive {
        if let opened = opened.withLock({ $0 }) { return try opened.get() }
        do {
            let archive = try await open()
            opened.withLock { $0 = .success(archive) }
            return archive
        } catch {
            opened.withLock { $0 = .failure(error) }
            throw error
        }
    }
}

/// Fetches files from a WAL archive: what `restore_command` asks for.
package struct WALFetch: Sendable {
    /// Most bytes that are fetched ahead.
    private static let aheadByteLimit = 256 << 20

    private let sources: [WALSource]
    private let spoolFolder: String
    private let aheadCount: Int
    private let clock: @Sendable () -> Int

    /// - Parameters:
    ///   - spoolFolder: where segments wait that were fetched ahead.
    ///   - aheadCount: how many segments behind the one that is wanted are fetched with it.
    ///   - clock: seconds since 1970.
    package init(
        sources: [WALSource], spoolFolder: String, aheadCount: Int,
        clock: @escaping @Sendable () -> Int
    ) {
        self.sources = sources
        self.spoolFolder = spoolFolder
        self.aheadCount = aheadCount
        self.clock = clock
    }

    /// Writes a file to `path`, whole and proven, in place of what may be there.
    /// - Returns: false when no target has it, and each of them said so.
    /// - Throws: the first fault, when the file was not found: then nobody knows whether a target has it.
    package func run(_ name: WALFileName, to path: String) async throws -> Bool {
        let spool = WALSpool(folder: spoolFolder)
        if name.kind == .segment, try spool.take(name, to: path, now: clock()) { return true }
        var faults: [(target: String, error: any Error)] = []
        for source in sources {
            do {
                let archive = try await source.archive()
                guard let record = try await archive.record(name) else { continue }
                try await fetch(record, name, from: archive, to: path, spool)
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
        spool.keepOnly([])
        return false
    }

    private func warn(_ target: String, _ error: any Error) {
        Logger.current.warning(
            "a target could not give a file of the WAL archive",
            metadata: [LogKeys.target: "\(target)", LogKeys.error: "\(error)"])
    }

    private func fetch(
        _ record: ArchivedWAL, _ name: WALFileName, from archive: WALArchive, to path: String, _ spool: WALSpool
    ) async throws {
        let next = names(after: name, byteCount: record.bytes)
        spool.keepOnly(next)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for name in next where !spool.has(name) { group.addTask { await fetchAhead(name, from: archive, spool) } }
            let draft = try DraftFile(replacing: path)
            defer { draft.discard() }
            _ = try await write(record, name, from: archive, to: draft)
            try draft.publish()
            while try await group.next() != nil {}
        }
    }

    /// The segments that come next.
    private func names(after name: WALFileName, byteCount: Int) -> [WALFileName] {
        guard name.kind == .segment, let size = WALSegmentSize(byteCount: byteCount),
            let segment = WALSegment(name: name.string, size: size)
        else { return [] }
        let count = min(aheadCount, Self.aheadByteLimit / byteCount)
        return (0..<max(0, count)).compactMap { index in
            let start = segment.end.advanced(by: index * byteCount)
            return WALFileName(WALSegment(containing: start, timeline: segment.timeline, size: size).name)
        }
    }

    /// Brings a segment into the spool. What goes wrong here is of no concern: it is fetched when it is wanted.
    private func fetchAhead(_ name: WALFileName, from archive: WALArchive, _ spool: WALSpool) async {
        do {
            guard let record = try await archive.record(name) else { return }
            let draft = try spool.makeDraft()
            defer { draft.discard() }
            let checksum = try await write(record, name, from: archive, to: draft)
            try spool.add(name, draft, checksum: checksum)
        } catch {
            Logger.current.info(
                "a segment could not be fetched ahead",
                metadata: [LogKeys.file: "\(name)", LogKeys.error: "\(error)"])
        }
    }

    /// Writes a file, which is proven when this returns.
    /// - Returns: CRC-32C of its bytes.
    private func write(
        _ record: ArchivedWAL, _ name: WALFileName, from archive: WALArchive, to draft: DraftFile
    ) async throws -> UInt32 {
        var front: [UInt8] = []
        var checksum: UInt32 = 0
        try await archive.stream(record, name) { bytes in
            checksum = unsafe bytes.withUnsafeBytes { unsafe pgm_crc32c(checksum, $0.baseAddress, $0.count) }
            if front.count < 64 {
                unsafe bytes.withUnsafeBytes { unsafe front.append(contentsOf: $0.prefix(64)) }
            }
            try draft.write(bytes)
        }
        if name.isLog {
            do {
                let header = try unsafe front.withUnsafeBytes { (bytes) throws(WALFormatError) in
                    try unsafe WALPageHeader(bytes)
                }
                try WALFileCheck.require(header, fits: name, byteCount: draft.byteCount)
                guard header.segment.map({ String($0.systemIdentifier) }) == record.segment?.systemIdentifier else {
                    throw WALFormatError("it is of another cluster")
                }
            } catch {
                throw EngineError(.objectDamaged, "'\(name)' at \(archive.backend.displayName): \(error)")
            }
        }
        return checksum
    }
}

extension EngineError {
    /// Whether it tells of the file that is written and not of the place that is read.
    fileprivate var isOfFiles: Bool { [.fileUnusable, .noSpace].contains(reason) }
}
