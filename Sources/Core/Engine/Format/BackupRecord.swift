import PostgresClient

/// `backup.info`: all that `list-backup` and `info` show, and all that a restore needs to know before it reads anything else.
///
/// It is written last; a backup exists if and only if it does. It never changes; what may change stands in the notes.
package struct BackupRecord: Sendable, Hashable, Codable {
    package enum Kind: String, Sendable, Hashable, Codable {
        case full, incremental
    }

    package struct Tablespace: Sendable, Hashable, Codable {
        package var oid: UInt32
        package var location: String
    }

    /// A codec as it was used.
    package struct UsedCodec: Sendable, Hashable, Codable {
        package var name: String
        package var parameters: [String: String]
    }

    package var format = Layout.formatVersion
    /// The version of the program that wrote it.
    package var version: String
    /// Random and unique; every encrypted object of the backup is bound to it.
    package var id: String
    package var server: String
    package var label: BackupLabel
    package var type: Kind
    /// The backup that an incremental one builds on.
    package var parent: BackupLabel?
    /// The `id` in that backup's record.
    package var parentID: String?
    /// As PostgreSQL's `IDENTIFY_SYSTEM` tells it.
    package var systemIdentifier: String
    package var majorVersion: Int
    package var minorVersion: Int
    package var startLSN: String
    package var endLSN: String
    package var checkpointLSN: String
    package var startTimeline: UInt32
    package var endTimeline: UInt32
    /// Name of the first WAL segment that a restore needs.
    package var wal: String
    package var walSegmentBytes: Int
    /// Stored bytes of the archive `pg_wal`, which are part of `backupBytes`; nil in records of the first versions.
    package var walBytes: Int?
    package var hasDataChecksums: Bool
    /// Seconds since 1970.
    package var startedAt: Int
    package var endedAt: Int
    package var elapsedMilliseconds: Int
    /// Bytes of all stored objects but the record and the checksum list.
    package var backupBytes: Int
    /// Bytes of all files that a restore writes.
    package var restoreBytes: Int
    package var biggestFileBytes: Int
    package var fileCount: Int
    package var tablespaces: [Tablespace]
    package var codecs: [UsedCodec]
    package var frames: FrameFormat
    package var manifestChecksums: String
    package var manifest: StoredObject
    package var index: StoredObject
    /// HMAC-SHA-256 of this text with 64 zeros in its place, in an encrypted repository; else empty.
    package var authentication = ""

    /// Whether sums and products of its numbers can be computed: no size beyond a petabyte, no time beyond 100,000 years. A clock
    /// may have been set in between, so that a backup may have ended before it began.
    var isPlausible: Bool {
        let sizes = [
            backupBytes, restoreBytes, biggestFileBytes, fileCount, manifest.bytes, index.bytes, walBytes ?? 0,
        ]
        let times = [startedAt, endedAt]
        return sizes.allSatisfy { (0...(1 << 50)).contains($0) } && times.allSatisfy { $0.magnitude <= 1 << 42 }
            && elapsedMilliseconds.magnitude <= 1 << 50 && (0...1000).contains(majorVersion)
            && (0...1000).contains(minorVersion)
    }

    /// The number of a position as the record writes it, `X/Y`; 0 when it is not one.
    package func position(_ text: String) -> UInt64 { LSN(text)?.position ?? 0 }

    /// The codecs' names joined by `+`, or `none`.
    package var chainName: String { codecs.isEmpty ? "none" : codecs.map(\.name).joined(separator: "+") }

    /// The id of the key that encrypts the backup; nil when it is plain.
    package var keyID: String? { codecs.compactMap { $0.parameters["key"] }.last }
}
