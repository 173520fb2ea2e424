internal import BackupAPI
internal import CZlib

/// The `gzip` compression (RFC 1952): each frame is one gzip member without a file name or time.
struct GzipCodec: Compression {
    /// The recorded name.
    static let name = "gzip"
    /// What is added to an object's name.
    static let suffix = ".gz"
    /// Levels that may be chosen.
    static let levels = (allowed: 1...9, standard: 6)
    /// zlib's window bits for the gzip wrapper with the largest window (zlib.h, `deflateInit2`).
    static let windowBits: Int32 = 15 + 16

    let level: Int

    var name: String { Self.name }
    var suffix: String { Self.suffix }

    func maximumEncodedByteCount(forPlain byteCount: Int) -> Int {
        // `compressBound` counts zlib's wrapper of 6 bytes; gzip's has 18.
        Int(compressBound(UInt(byteCount))) + 18
    }

    func makeEncoder() throws(CodecError) -> any FrameEncoder { try GzipFrameEncoder(level: level) }

    func makeDecoder() throws(CodecError) -> any FrameDecoder { MemberFrameDecoder(try GzipMember()) }

    func makeStreamDecoder(_ identity: ObjectIdentity?) throws(CodecError) -> any StreamDecoder {
        MemberStreamDecoder(try GzipMember())
    }

    /// An error with zlib's own words, if `stream` has some.
    static func error(_ reason: CodecError.Reason, _ stream: UnsafeMutablePointer<z_stream>) -> CodecError {
        let words = unsafe stream.pointee.msg.map { unsafe String(cString: $0) }
        return CodecError(reason, codec: name, detail: words)
    }
}
