import PostgresClient
import WALFormat

extension BackupReader {
    /// The checkpoint from which recovery of the backup begins, as its own WAL has it. Another log may have one at the same position,
    /// but not with the same checksum: the time is in it.
    /// - Throws: `.noIncremental` when the backup does not have it, or damage that is found.
    func checkpoint() async throws -> WALSummary.Checkpoint {
        let missing = EngineError(
            .noIncremental, "\(record.label) does not have the checkpoint at \(record.checkpointLSN)")
        guard let position = LSN(record.checkpointLSN), let timeline = Timeline(record.startTimeline),
            let size = WALSegmentSize(byteCount: record.walSegmentBytes),
            let archive = try await index().archives.first(where: { $0.name == "pg_wal" })
        else { throw missing }
        let stands = LSN(
            WALRecord.checksumPosition(
                ofRecordAt: position.position, segmentByteCount: UInt64(size.byteCount)))
        let segment = WALSegment(containing: stands, timeline: timeline, size: size)
        guard let member = archive.members.first(where: { $0.path == segment.name }) else { throw missing }
        let offset = stands.byteCount(since: segment.start)
        guard offset <= UInt64(max(0, member.byteCount - 4)) else { throw missing }
        let start = member.offset + Int(offset)
        let bytes = try await frames.bytes(start..<start + 4, of: ArchivePlan(record: record, archive: archive))
        let checksum = bytes.reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        return WALSummary.Checkpoint(position: position, checksum: checksum)
    }
}
