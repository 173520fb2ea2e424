import BackupAPI

/// `<file>.json` in the WAL archive: a file exists there if and only if this does, and it never changes.
package struct ArchivedWAL: Sendable, Hashable, AuthenticatedText {
    static let kind = "the record of an archived file"
    static let info = "pgmoneta-wal-1"
    static let byteLimit = 1 << 20

    package var format = Layout.formatVersion
    /// Random and unique; the encrypted bytes are bound to it.
    package var id: String
    package var server: String
    /// PostgreSQL's name of the file.
    package var name: String
    /// Seconds since 1970.
    package var archivedAt: Int
    /// Bytes of the file, and their SHA-256 in lower-case hexadecimal: processors of today compute it three times as fast as SHA-512.
    package var bytes: Int
    package var sha256: String
    package var codecs: [BackupRecord.UsedCodec]
    package var frames: FrameFormat
    /// Where the file's bytes are; the path is below the folder of the timeline.
    package var object: Object
    /// What a segment says about itself; nil for other files.
    package var segment: Segment?
    /// The id of the key that authenticates this text; nil in a plain repository.
    package var key: String?
    /// HMAC-SHA-256 of this text with 64 zeros in its place; else empty.
    package var authentication = ""

    /// The stored object. It has no digest of its own: what it is decoded to is proven by the file's, and processors compute one
    /// for each segment of a busy server.
    package struct Object: Sendable, Hashable, Codable {
        package var path: String
        /// Stored bytes.
        package var bytes: Int
    }

    /// What the archive knows of a segment without opening it.
    package struct Segment: Sendable, Hashable, Codable {
        package var majorVersion: Int
        package var systemIdentifier: String
        package var timeline: UInt32
        /// Where the last record stands that begins and ends in it, `X/Y`; absent when there is none.
        package var lastRecord: String?
        /// The latest end of a transaction in it, in microseconds since 1970; absent when there is none.
        package var lastTransactionAt: Int?
        /// Restore points in it; absent when there are none.
        package var restorePoints: [String]?
    }

    /// What its encrypted bytes are bound to.
    func identity(key: String) -> ObjectIdentity {
        ObjectIdentity(repository: id, key: key, chain: chainName, frameByteCount: frames.frameByteCount)
    }

    private var chainName: String { codecs.isEmpty ? "none" : codecs.map(\.name).joined(separator: "+") }

    /// Whether the same file would be stored again.
    func hasContent(of other: ArchivedWAL) -> Bool { bytes == other.bytes && sha256 == other.sha256 }
}
