internal import BackupAPI

/// One encrypted object.
struct AESObject: ObjectCodec {
    /// Bytes of the length before each frame.
    static let lengthByteCount = 4

    let secrets: AESObjectSecrets

    var header: [UInt8] { secrets.header.bytes }

    func makeEncoder() throws(CodecError) -> any FrameEncoder { try AESFrameEncoder(secrets) }

    func makeDecoder() throws(CodecError) -> any FrameDecoder { try AESFrameDecoder(secrets) }
}
