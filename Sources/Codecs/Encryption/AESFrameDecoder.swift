internal import BackupAPI

/// Decrypts frames of one object, each only after its tag was checked.
final class AESFrameDecoder: FrameDecoder {
    private let secrets: AESObjectSecrets
    private let cipher: any AESFrameCipher

    private var codec: String { secrets.header.mode.name }

    /// Makes a decoder of the object with these secrets.
    init(_ secrets: AESObjectSecrets) throws(CodecError) {
        self.secrets = secrets
        cipher = try secrets.makeFrameCipher(.decrypt)
    }

    func decode(_ stored: RawSpan, at position: FramePosition, into output: inout OutputRawSpan) throws(CodecError) {
        let number = try AESFrameNumber(position, codec: codec)
        // Sound: both buffers are used only inside their closures.
        try unsafe stored.withUnsafeBytes { (frame: UnsafeRawBufferPointer) throws(CodecError) in
            let sealed = try unsafe sealedBytes(of: frame)
            try unsafe output.withUnsafeMutableBytes {
                (buffer: UnsafeMutableRawBufferPointer, count: inout Int) throws(CodecError) in
                let room = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
                count += try unsafe cipher.open(sealed, as: number, into: room)
            }
        }
    }

    private func sealedBytes(of frame: UnsafeRawBufferPointer) throws(CodecError) -> UnsafeRawBufferPointer {
        guard frame.count >= AESObject.lengthByteCount else { throw CodecError(.truncated, codec: codec) }
        let length = unsafe Int(UInt32(littleEndian: frame.loadUnaligned(as: UInt32.self)))
        let sealed = unsafe UnsafeRawBufferPointer(rebasing: frame[AESObject.lengthByteCount...])
        guard sealed.count >= length else { throw CodecError(.truncated, codec: codec) }
        guard sealed.count == length else {
            throw CodecError(
                .damaged, codec: codec, detail: "\(sealed.count - length) bytes behind the end of the frame")
        }
        return unsafe sealed
    }
}
