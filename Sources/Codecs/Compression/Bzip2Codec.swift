internal import BackupAPI
internal import CBZip2

/// The `bzip2` compression: each frame is one bzip2 stream. The level is the block size in units of 100 000 bytes.
struct Bzip2Codec: Compression {
    /// The recorded name.
    static let name = "bzip2"
    /// What is added to an object's name.
    static let suffix = ".bz2"
    /// Levels that may be chosen.
    static let levels = (allowed: 1...9, standard: 9)

    let level: Int

    var name: String { Self.name }
    var suffix: String { Self.suffix }

    func maximumEncodedByteCount(forPlain byteCount: Int) -> Int {
        // 1 % and 600 bytes more (bzip2 manual, section 3.5.1, `BZ2_bzBuffToBuffCompress`).
        byteCount + byteCount / 100 + 601
    }

    func makeEncoder() throws(CodecError) -> any FrameEncoder { Bzip2FrameEncoder(level: level) }

    func makeDecoder() throws(CodecError) -> any FrameDecoder { MemberFrameDecoder(try Bzip2Member()) }

    func makeStreamDecoder(_ identity: ObjectIdentity?) throws(CodecError) -> any StreamDecoder {
        MemberStreamDecoder(try Bzip2Member())
    }
}
