internal import BackupAPI
internal import CZstd

/// The `zstd` compression (RFC 8878): each frame is one zstd frame with content size and checksum.
struct ZstdCodec: Compression {
    /// The recorded name.
    static let name = "zstd"
    /// What is added to an object's name.
    static let suffix = ".zstd"
    /// Levels that may be chosen, without zstd's negative ones.
    static let levels = (allowed: 1...22, standard: 3)

    let level: Int

    var name: String { Self.name }
    var suffix: String { Self.suffix }

    func maximumEncodedByteCount(forPlain byteCount: Int) -> Int { ZSTD_compressBound(byteCount) }

    func makeEncoder() throws(CodecError) -> any FrameEncoder { try ZstdFrameEncoder(level: level) }

    func makeDecoder() throws(CodecError) -> any FrameDecoder { try ZstdFrameDecoder() }

    func makeStreamDecoder(_ identity: ObjectIdentity?) throws(CodecError) -> any StreamDecoder {
        MemberStreamDecoder(try ZstdMember())
    }
}
