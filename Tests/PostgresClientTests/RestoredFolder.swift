import PostgresClient
import TestSupport

/// A data folder made of a base backup and WAL by `tar` and `dd`, as anybody could. Removed with the value.
final class RestoredFolder {
    let path: String
    private let parent: String

    init(_ backup: CollectingReceiver, wal: [UInt8], from start: LSN, size: WALSegmentSize) throws {
        parent = try Program.check("/bin/mktemp", ["-d", "/tmp/pgmoneta-restored-XXXXXX"]).filter { !$0.isNewline }
        try Program.check("/bin/chmod", ["711", parent])
        path = "\(parent)/data"
        try Program.check("/bin/mkdir", ["-m", "700", path])
        try Program.check("/bin/tar", ["-x", "-C", path, "-f", "-"], input: backup.bytes(of: "base") ?? [])
        for offset in stride(from: 0, to: wal.count, by: size.byteCount) {
            let segment = WALSegment(containing: start.advanced(by: offset), timeline: .first, size: size)
            let bytes = Array(wal[offset..<min(offset + size.byteCount, wal.count)])
            try Program.check("/bin/dd", ["of=\(path)/pg_wal/\(segment.name)", "status=none"], input: bytes)
        }
    }

    deinit { _ = try? Program.run("/bin/rm", ["-rf", parent]) }
}
