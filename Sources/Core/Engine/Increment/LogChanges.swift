import BackupAPI
import Logging
import PostgresClient
import WALFormat

/// Finds which blocks a stretch of the log changes. The log comes from the archive of the target, and from the server where the
/// archive does not go on.
struct LogChanges {
    let archive: WALArchive
    let session: ReplicationSession
    let timeline: Timeline
    let segmentSize: WALSegmentSize

    /// The blocks that records from `start` up to `end` change.
    /// - Throws: `.noIncremental` when neither the archive nor the server has the whole stretch, or it cannot be understood.
    func map(from start: LSN, to end: LSN) async throws -> BlockMap {
        var collector = ChangeCollector(start: start, end: end, segmentSize: segmentSize)
        do {
            try await readArchive(into: collector)
        } catch let error as EngineError where error.isDamage || error.reason == .noIncremental {
            // Bytes come before they are proven, so that damage may first look like a log that cannot be followed.
            Logger.current.warning(
                "archived WAL cannot be used; the server is asked for it",
                metadata: [LogKeys.server: "\(archive.server)", LogKeys.error: "\(error)"])
            collector = ChangeCollector(start: start, end: end, segmentSize: segmentSize)
        }
        if !collector.isComplete { try await stream(into: collector) }
        return try collector.finish()
    }

    /// Reads segment after segment, up to the first that the archive does not have.
    private func readArchive(into collector: ChangeCollector) async throws {
        while !collector.isComplete {
            let segment = WALSegment(containing: collector.position, timeline: timeline, size: segmentSize)
            guard let name = WALFileName(segment.name), let record = try await archive.record(name) else { return }
            try await archive.stream(record, name) { try collector.take($0) }
        }
    }

    private func stream(into collector: ChangeCollector) async throws {
        do {
            let end = try await session.streamWAL(
                from: collector.position, timeline: timeline, to: collector, stop: collector.stop)
            guard collector.isComplete else {
                throw EngineError(.noIncremental, "the server's WAL ended at \(end.position)")
            }
        } catch let error as PostgresError where error.reason == .walGone {
            throw EngineError(
                .noIncremental,
                "the WAL from \(collector.position) on is not in the archive at \(archive.backend.displayName), and the server has it no more",
                remedy: "Take a full backup: 'pgmoneta-cli backup \(archive.server)'. For the next time, archive WAL "
                    + "('archive_command' with 'wal-push', or the daemon with 'wal_slot'), or raise 'wal_keep_size'.")
        }
    }
}

/// Puts the log together page by page, and notes what its records change.
private final class ChangeCollector: WALReceiver {
    private let end: LSN
    private var reader: BlockMapReader
    private var pages = WALPages()
    /// The position of the next byte.
    private(set) var position: LSN
    let stop = WALStop()

    init(start: LSN, end: LSN, segmentSize: WALSegmentSize) {
        self.end = end
        reader = BlockMapReader(range: start.position..<max(start, end).position)
        position = start.roundedDownToSegment(size: segmentSize)
    }

    var isComplete: Bool { position >= end }

    func walBytes(_ bytes: RawSpan, at position: LSN) async throws -> LSN? {
        guard position == self.position || isComplete else {
            throw EngineError(.streamMalformed, "WAL at \(position) came when \(self.position) was expected")
        }
        try take(bytes)
        if isComplete { stop.stopNow() }
        return nil
    }

    /// Takes the next bytes; what is behind the end does not matter.
    func take(_ bytes: RawSpan) throws {
        let count = min(bytes.byteCount, Int(clamping: end.byteCount(since: position)))
        try unsafe pages.consume(bytes.extracting(0..<count)) { try unsafe read($0) }
        position = position.advanced(by: bytes.byteCount)
    }

    /// What was found. The last page is one of which the end is not wanted.
    func finish() throws -> BlockMap {
        if !pages.page.isEmpty { try unsafe pages.page.withUnsafeBytes { try unsafe read($0) } }
        return reader.map
    }

    private func read(_ page: UnsafeRawBufferPointer) throws {
        do throws(WALFormatError) {
            try unsafe reader.consume(page: page)
        } catch {
            throw EngineError(.noIncremental, "the WAL cannot be followed: \(error)")
        }
    }
}
