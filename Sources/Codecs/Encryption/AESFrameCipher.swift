internal import BackupAPI

/// Encrypts or decrypts the frames of one object; made for one direction.
protocol AESFrameCipher: AnyObject {
    /// Writes ciphertext and tag.
    /// - Parameter room: at least `sealedByteCount(forPlain:)` bytes.
    /// - Returns: how many bytes were written.
    func seal(
        _ plain: UnsafeRawBufferPointer, as number: AESFrameNumber, into room: UnsafeMutableRawBufferPointer
    ) throws(CodecError) -> Int
    /// Checks the tag and writes the plain bytes. When the tag does not fit, no plain byte is left in `room`.
    /// - Parameter sealed: ciphertext and tag.
    /// - Returns: how many bytes were written.
    /// - Throws: `.notAuthentic`; `.tooLarge` when there is not enough room.
    func open(
        _ sealed: UnsafeRawBufferPointer, as number: AESFrameNumber, into room: UnsafeMutableRawBufferPointer
    ) throws(CodecError) -> Int
}

/// A frame's place, as it enters its nonce.
struct AESFrameNumber {
    private let bytes: [UInt8]

    /// Makes the number of a frame.
    /// - Throws: `.tooLarge` when an object has more than 2^32 frames, whose nonces would repeat.
    init(_ position: FramePosition, codec: String) throws(CodecError) {
        guard let index = UInt32(exactly: position.index) else {
            throw CodecError(.tooLarge, codec: codec, detail: "frame \(position.index)")
        }
        bytes =
            stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: index >> $0) } + [
                position.isLast ? 1 : 0
            ]
    }

    /// The nonce of 12 bytes: the object's prefix (7), the frame's index (4, highest byte first), 1 for the last frame or 0.
    func nonce(_ prefix: [UInt8]) -> [UInt8] { prefix + bytes }
}
