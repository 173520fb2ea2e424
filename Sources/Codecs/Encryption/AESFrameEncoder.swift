internal import BackupAPI

/// Encrypts frames of one object: length, ciphertext, tag.
final class AESFrameEncoder: FrameEncoder {
    private let secrets: AESObjectSecrets
    private let cipher: any AESFrameCipher

    private var codec: String { secrets.header.mode.name }

    /// Makes an encoder of the object with these secrets.
    init(_ secrets: AESObjectSecrets) throws(CodecError) {
        self.secrets = secrets
        cipher = try secrets.makeFrameCipher(.encrypt)
    }

    /// - Throws: `.tooLarge` when the frame is longer than the object's frame size allows, since no reader would take it.
    func encode(_ plain: RawSpan, at position: FramePosition, into output: inout OutputRawSpan) throws(CodecError) {
        guard plain.byteCount <= secrets.maximumPlainByteCount else { throw CodecError(.tooLarge, codec: codec) }
        let number = try AESFrameNumber(position, codec: codec)
        var length: [UInt8] = []
        length.append(littleEndian: UInt32(secrets.header.mode.sealedByteCount(forPlain: plain.byteCount)))
        guard output.freeCapacity >= length.count else { throw CodecError(.tooLarge, codec: codec) }
        // Sound: both buffers are used only inside their closures.
        try unsafe plain.withUnsafeBytes { (source: UnsafeRawBufferPointer) throws(CodecError) in
            try unsafe output.withUnsafeMutableBytes {
                (buffer: UnsafeMutableRawBufferPointer, count: inout Int) throws(CodecError) in
                let frame = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
                let room = unsafe UnsafeMutableRawBufferPointer(rebasing: frame[length.count...])
                let sealed = try unsafe cipher.seal(source, as: number, into: room)
                unsafe frame.copyBytes(from: length)
                count += length.count + sealed
            }
        }
    }
}
