import BackupAPI
import Logging
import PostgresClient
import WALFormat

/// Finds which blocks a stretch of the log changes: from what was found out before, and for the rest from the log itself. That comes
/// from the archives of the targets, and from the server where no archive goes on.
///
/// What is elsewhere may be the log of another history, which was written after the machine was set back to a snapshot, with the same
/// timeline and at the same positions. So the log must begin with the checkpoint of the parent's own WAL, the last segment of an
/// archive must be what the server has, and what comes from there on is the server's.
struct LogChanges {
    let server: String
    let archives: [WALArchive]
    let session: ReplicationSession
    /// For sessions of their own.
    let connection: PostgresClient.ConnectionSettings
    let timeline: Timeline
    let segmentSize: WALSegmentSize

    /// The blocks that records from `start` up to `end` change.
    /// - Parameters:
    ///   - parent: the checkpoint from which recovery begins at `start`.
    ///   - through: how far the log is there; the checkpoint of `end` is before it.
    /// - Throws: `.noIncremental` when neither the archive nor the server has the whole stretch, or it cannot be understood.
    func map(
        from start: LSN, checkpoint parent: WALSummary.Checkpoint, to end: LSN, through: LSN
    ) async throws -> BlockMap {
        let summaries = archives.map { WALSummaries(beside: $0, timeline: timeline, segmentSize: segmentSize) }
        func store(_ stretch: LogStretch) async {
            for each in summaries { await each.store(stretch) }
        }
        for each in summaries {
            guard var known = await each.stretch(from: start, before: end), known.beginning == parent else { continue }
            do {
                let rest = try await read(from: known.range.upperBound, to: end, through: through)
                if known.extend(with: rest) {
                    await store(rest)
                    return known.map
                }
                warn("the log is not the one that was summarized; all of it is read")
            } catch let error as EngineError where error.reason == .noIncremental {
                warn("the log does not go on from what was summarized; all of it is read", error)
            }
            break
        }
        let all = try await read(from: start, to: end, through: through)
        guard all.beginning == parent else {
            throw EngineError(
                .noIncremental, "the log at \(start) is not the one in which the parent began",
                remedy: "Take a full backup: 'pgmoneta-cli backup \(server)'.")
        }
        await store(all)
        return all.map
    }

    /// Reads the log.
    private func read(from start: LSN, to end: LSN, through: LSN) async throws -> LogStretch {
        func fresh() -> ChangeCollector {
            ChangeCollector(start: start, end: end, through: max(end, through), segmentSize: segmentSize)
        }
        let current = end.roundedDownToSegment(size: segmentSize)
        var collector = fresh()
        for archive in archives {
            do {
                try await readArchive(archive, before: current, into: collector)
            } catch {
                guard Self.canGoOn(after: error) else { throw error }
                warn("archived WAL at \(archive.backend.displayName) cannot be used", error)
                collector = fresh()
            }
        }
        try await stream(into: collector)
        return try collector.finish()
    }

    private func warn(_ words: Logger.Message, _ error: (any Error)? = nil) {
        var metadata: Logger.Metadata = [LogKeys.server: "\(server)"]
        metadata[LogKeys.error] = error.map { "\($0)" }
        Logger.current.warning(words, metadata: metadata)
    }

    /// Whether another source may have what one does not give. Bytes come before they are proven, so that damage may first look like a
    /// log that cannot be followed.
    private static func canGoOn(after error: any Error) -> Bool {
        switch error {
        case let error as EngineError: error.isDamage || error.reason == .noIncremental
        case let error as StorageError: error.reason != .cancelled
        default: false
        }
    }

    /// Reads segment after segment, up to the first that an archive does not have.
    /// - Throws: `.noIncremental` when the last one is not what the server has.
    private func readArchive(_ archive: WALArchive, before end: LSN, into collector: ChangeCollector) async throws {
        var last: (segment: WALSegment, record: ArchivedWAL)?
        while collector.position < end {
            let segment = WALSegment(containing: collector.position, timeline: timeline, size: segmentSize)
            guard let name = WALFileName(segment.name), let record = try await archive.record(name) else { break }
            try await archive.stream(record, name) { try collector.take($0) }
            last = (segment, record)
        }
        guard let last else { return }
        let digest = SegmentDigest(last.segment, archive.cryptography)
        // A session ends with a request for what the server has no more.
        let asking = try await ReplicationSession.open(connection)
        defer { asking.close() }
        do {
            _ = try await asking.streamWAL(
                from: last.segment.start, timeline: timeline, to: digest, stop: digest.stop)
        } catch let error as PostgresError where error.reason == .walGone {
            // Then only its records tell, each of which names the one before.
            return
        }
        guard digest.finish() == last.record.sha256 else {
            throw EngineError(.noIncremental, "\(last.segment.name) in the archive is of another log than the server's")
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
                "the WAL from \(collector.position) on is not in the archive at "
                    + archives.map(\.backend.displayName).joined(separator: ", ") + ", and the server has it no more",
                remedy: "Take a full backup: 'pgmoneta-cli backup \(server)'. For the next time, archive WAL "
                    + "('archive_command' with 'wal-push', or the daemon with 'wal_slot'), or raise 'wal_keep_size'.")
        }
    }
}

/// Puts the log together page by page, and notes what its records change.
private final class ChangeCollector: WALReceiver {
    private let range: Range<LSN>
    private let through: LSN
    private var reader: BlockMapReader
    private var pages = WALPages()
    /// The position of the next byte.
    private(set) var position: LSN
    let stop = WALStop()

    /// - Parameter through: how far it reads, for the checkpoint behind `end`.
    init(start: LSN, end: LSN, through: LSN, segmentSize: WALSegmentSize) {
        range = start..<max(start, end)
        self.through = through
        reader = BlockMapReader(range: range.lowerBound.position..<range.upperBound.position)
        position = start.roundedDownToSegment(size: segmentSize)
    }

    var isComplete: Bool { position >= through }

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
        let count = min(bytes.byteCount, Int(clamping: through.byteCount(since: position)))
        try unsafe pages.consume(bytes.extracting(0..<count)) { try unsafe read($0) }
        position = position.advanced(by: bytes.byteCount)
    }

    /// What was found. The last page is one of which the end is not wanted.
    /// - Throws: `.noIncremental` when no checkpoint is there from which recovery begins at the start.
    func finish() throws -> LogStretch {
        if !pages.page.isEmpty { try unsafe pages.page.withUnsafeBytes { try unsafe read($0) } }
        guard let beginning = reader.beginning else {
            throw EngineError(.noIncremental, "the WAL has no checkpoint for \(range.lowerBound)")
        }
        return LogStretch(
            range: range, beginning: WALSummary.Checkpoint(beginning),
            ending: reader.ending.map { WALSummary.Checkpoint($0) }, map: reader.map)
    }

    private func read(_ page: UnsafeRawBufferPointer) throws {
        do throws(WALFormatError) {
            try unsafe reader.consume(page: page)
        } catch {
            throw EngineError(.noIncremental, "the WAL cannot be followed: \(error)")
        }
    }
}

/// Takes one segment from the server.
private final class SegmentDigest: WALReceiver {
    private let end: LSN
    private let digest: any Digest
    let stop = WALStop()

    init(_ segment: WALSegment, _ cryptography: any Cryptography) {
        end = segment.end
        digest = cryptography.makeDigest(.sha256)
    }

    func walBytes(_ bytes: RawSpan, at position: LSN) async throws -> LSN? {
        let count = min(bytes.byteCount, Int(clamping: end.byteCount(since: position)))
        digest.update(bytes.extracting(0..<count))
        if position.advanced(by: bytes.byteCount) >= end { stop.stopNow() }
        return nil
    }

    /// Lower-case hexadecimal.
    func finish() -> String { hexadecimal(digest.finish()) }
}
