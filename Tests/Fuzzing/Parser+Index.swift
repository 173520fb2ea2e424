@testable import BackupEngine
import CEngine

extension Parser {
    /// The index of a backup, with its checksum put right, and what a restore computes from it.
    static let index = Parser(name: "index") { bytes in
        let body = Array(bytes.dropLast(4))
        let checksum = unsafe body.withUnsafeBytes { unsafe pgm_crc32c(0, $0.baseAddress, $0.count) }
        let tail = (0..<4).map { UInt8(truncatingIfNeeded: checksum >> (8 * $0)) }
        guard let index = try? BackupIndex(decoding: body + tail) else { return }
        let again = index.encoded()
        require((try? BackupIndex(decoding: again))?.encoded() == again, "an index is written differently again")

        let snapshot = Snapshot(record: record, index: index)
        require(snapshot.byteCount >= 0 && snapshot.comingByteCounts.allSatisfy { $0 >= 0 }, "a size is negative")
        for archive in index.archives {
            guard let plan = try? ArchivePlan(record: record, archive: archive) else { continue }
            for member in archive.members where member.byteCount > 0 {
                let frames = plan.frames(holding: member.offset..<member.offset + member.byteCount)
                for run in plan.runs(of: Array(frames.prefix(1000))) { _ = plan.path(volume: run.volume) }
            }
        }
        var builder = SnapshotBuilder(newest: record, index: index)
        try? builder.add(parent: record, index: index)
        _ = try? builder.finish()
    }

    private static let object = StoredObject(path: "backup.index", bytes: 0, sha512: "")

    /// Its frames are those of the golden repository.
    private static let record = BackupRecord(
        version: "0.1.0", id: "x", server: "primary", label: BackupLabel(secondsSince1970: 0), type: .full, parent: nil,
        systemIdentifier: "1", majorVersion: 17, minorVersion: 0, startLSN: "0/0", endLSN: "0/0", checkpointLSN: "0/0",
        startTimeline: 1, endTimeline: 1, wal: "", walSegmentBytes: 16 << 20, hasDataChecksums: false, startedAt: 0,
        endedAt: 0, elapsedMilliseconds: 0, backupBytes: 0, restoreBytes: 0, biggestFileBytes: 0, fileCount: 0,
        tablespaces: [], codecs: [], frames: FrameFormat(frameByteCount: 4096, framesPerVolume: 4),
        manifestChecksums: "CRC32C", manifest: object, index: object)
}
