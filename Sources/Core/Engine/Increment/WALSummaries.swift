import BackupAPI
import FoundationEssentials
import Logging
import PostgresClient
import WALFormat

/// A stretch of the log between two checkpoints, and what it changes.
struct LogStretch {
    var range: Range<LSN>
    /// The checkpoint from which recovery begins where it begins.
    var beginning: WALSummary.Checkpoint
    /// The one from which recovery begins where it ends; nil when that was not seen.
    var ending: WALSummary.Checkpoint?
    var map: BlockMap

    /// Takes in the stretch that comes next.
    /// - Returns: false, and nothing is changed, when it does not go on from this one.
    mutating func extend(with next: LogStretch) -> Bool {
        guard next.range.lowerBound == range.upperBound, next.beginning == ending else { return false }
        range = range.lowerBound..<next.range.upperBound
        ending = next.ending
        map.merge(next.map)
        return true
    }
}

/// The summaries of the log of one server and timeline on one target. They only save work: what is not there, or cannot be
/// believed, is read from the log.
struct WALSummaries {
    private let backend: any StorageBackend
    private let cryptography: any Cryptography
    private let server: String
    private let timeline: Timeline
    private let segmentSize: WALSegmentSize
    private let file: AuthenticatedFile<WALSummary>

    init(beside archive: WALArchive, timeline: Timeline, segmentSize: WALSegmentSize) {
        backend = archive.backend
        cryptography = archive.cryptography
        server = archive.server
        self.timeline = timeline
        self.segmentSize = segmentSize
        file = AuthenticatedFile(
            keys: archive.repository.keys, cryptography: cryptography,
            isEncrypted: archive.repository.description.isEncrypted)
    }

    /// What is known of the log from `start` on, without a gap; nil when nothing is. It ends before `end`, so that the log itself
    /// says whether it goes on from there.
    func stretch(from start: LSN, before end: LSN) async -> LogStretch? {
        var ends: [LSN: [LSN]] = [:]
        do {
            try await backend.forEachEntry(ListRequest(prefix: Layout.summaryPrefix(server))) { entry in
                guard case .object(let info) = entry, let found = Layout.summaryRange(of: info.key),
                    found.end < end, (try? key(found.start..<found.end)) == info.key
                else { return }
                ends[found.start, default: []].append(found.end)
            }
        } catch {
            warn(error)
        }
        var whole: LogStretch?
        var position = start
        while let next = await longest(from: position, to: ends[position] ?? [], after: whole) {
            whole = next
            position = next.range.upperBound
        }
        return whole
    }

    /// What is known together with the longest summary that goes on from it; nil when there is none.
    private func longest(from start: LSN, to ends: [LSN], after known: LogStretch?) async -> LogStretch? {
        for end in ends.sorted(by: >) {
            do {
                let next = try await read(start..<end)
                guard var whole = known else { return next }
                if whole.extend(with: next) { return whole }
            } catch {
                warn(error)
            }
        }
        return nil
    }

    private func warn(_ error: any Error) {
        Logger.current.warning(
            "a summary of the log cannot be used; the log is read",
            metadata: [LogKeys.server: "\(server)", LogKeys.error: "\(error)"])
    }

    /// Keeps what was found out for the next backup, if that is possible, in place of what another history left there.
    func store(_ stretch: LogStretch) async {
        guard let ending = stretch.ending, let blocks = WALSummary.bytes(of: stretch.map) else { return }
        do {
            let key = try key(stretch.range)
            let summary = WALSummary(
                server: server, timeline: timeline.number, from: stretch.range.lowerBound, to: stretch.range.upperBound,
                beginning: stretch.beginning, ending: ending, blocks: Data(blocks), sha256: digest(blocks))
            let bytes = try file.encode(summary, name: key.string)
            guard bytes.count <= WALSummary.byteLimit else { return }
            try await backend.put(key, bytes: bytes)
        } catch {
            Logger.current.info(
                "a summary of the log was not stored",
                metadata: [LogKeys.server: "\(server)", LogKeys.error: "\(error)"])
        }
    }

    private func read(_ range: Range<LSN>) async throws -> LogStretch {
        let key = try key(range)
        let summary = try file.decode(await backend.read(key, limit: WALSummary.byteLimit), name: key.string)
        let blocks = Array(summary.blocks)
        guard summary.server == server, summary.timeline == timeline.number, summary.from == range.lowerBound,
            summary.to == range.upperBound, digest(blocks) == summary.sha256, let map = WALSummary.map(from: blocks)
        else { throw EngineError(.objectDamaged, "'\(key)' is not what was stored") }
        return LogStretch(range: range, beginning: summary.beginning, ending: summary.ending, map: map)
    }

    private func key(_ range: Range<LSN>) throws(StorageError) -> ObjectKey {
        let segment = WALSegment(containing: range.lowerBound, timeline: timeline, size: segmentSize)
        return try Layout.summary(server, segment, from: range.lowerBound, to: range.upperBound)
    }

    private func digest(_ bytes: [UInt8]) -> String {
        let digest = cryptography.makeDigest(.sha256)
        digest.update(unsafe bytes.span.bytes)
        return hexadecimal(digest.finish())
    }
}
