internal import BackupAPI
internal import CLZ4

/// The `lz4` compression (LZ4 frame format 1.6): each frame is one lz4 frame of independent blocks, with content size and
/// with checksums of blocks and content.
struct LZ4Codec: Compression {
    /// The recorded name.
    static let name = "lz4"
    /// What is added to an object's name.
    static let suffix = ".lz4"
    /// Levels that may be chosen; from 3 on it is the slower high compression.
    static let levels = (allowed: 1...12, standard: 1)

    let level: Int

    var name: String { Self.name }
    var suffix: String { Self.suffix }

    func maximumEncodedByteCount(forPlain byteCount: Int) -> Int {
        var preferences = Self.preferences(level: level, plainByteCount: byteCount)
        return unsafe LZ4F_compressFrameBound(byteCount, &preferences)
    }

    func makeEncoder() throws(CodecError) -> any FrameEncoder { try LZ4FrameEncoder(level: level) }

    func makeDecoder() throws(CodecError) -> any FrameDecoder { MemberFrameDecoder(try LZ4Member()) }

    func makeStreamDecoder(_ identity: ObjectIdentity?) throws(CodecError) -> any StreamDecoder {
        MemberStreamDecoder(try LZ4Member())
    }

    /// How a frame of `plainByteCount` bytes is written: in as few blocks as the format allows.
    static func preferences(level: Int, plainByteCount: Int) -> LZ4F_preferences_t {
        var preferences = LZ4F_preferences_t()
        preferences.compressionLevel = Int32(level)
        preferences.autoFlush = 1
        preferences.frameInfo.contentSize = UInt64(plainByteCount)
        preferences.frameInfo.blockMode = LZ4F_blockIndependent
        preferences.frameInfo.blockChecksumFlag = LZ4F_blockChecksumEnabled
        preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled
        preferences.frameInfo.blockSizeID =
            switch plainByteCount {
            case ...0x1_0000: LZ4F_max64KB
            case ...0x4_0000: LZ4F_max256KB
            case ...0x10_0000: LZ4F_max1MB
            default: LZ4F_max4MB
            }
        return preferences
    }

    /// Throws when `result` is an error code of lz4.
    static func check(_ result: Int, _ reason: CodecError.Reason) throws(CodecError) {
        guard LZ4F_isError(result) != 0 else { return }
        let words = unsafe String(cString: LZ4F_getErrorName(result))
        let reason = words == "ERROR_frameType_unknown" ? .notThisFormat : reason
        throw CodecError(reason, codec: name, detail: words)
    }
}
