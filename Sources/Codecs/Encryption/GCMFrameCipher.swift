internal import BackupAPI

/// AES in Galois/Counter Mode (NIST SP 800-38D). The object's header is associated data of every frame.
final class GCMFrameCipher: AESFrameCipher {
    private let secrets: AESObjectSecrets
    private let cipher: EVPCipher

    private var codec: String { secrets.header.mode.name }
    private var tagByteCount: Int { secrets.header.mode.tagByteCount }

    /// Makes the cipher of one object.
    init(_ secrets: AESObjectSecrets, _ direction: EVPCipher.Direction) throws(CodecError) {
        self.secrets = secrets
        let mode = secrets.header.mode
        cipher = try unsafe EVPCipher(mode.cipher, key: secrets.encryptionKey, direction, codec: mode.name)
    }

    func seal(
        _ plain: UnsafeRawBufferPointer, as number: AESFrameNumber, into room: UnsafeMutableRawBufferPointer
    ) throws(CodecError) -> Int {
        guard room.count >= plain.count + tagByteCount else { throw CodecError(.tooLarge, codec: codec) }
        try begin(number)
        let count = try unsafe cipher.update(plain, into: room)
        guard cipher.finish() != nil else { throw OpenSSLFault.take(codec) }
        try unsafe UnsafeMutableRawBufferPointer(rebasing: room[count...]).copyBytes(from: cipher.tag())
        return count + tagByteCount
    }

    func open(
        _ sealed: UnsafeRawBufferPointer, as number: AESFrameNumber, into room: UnsafeMutableRawBufferPointer
    ) throws(CodecError) -> Int {
        guard sealed.count >= tagByteCount else { throw CodecError(.truncated, codec: codec) }
        let ciphertext = unsafe UnsafeRawBufferPointer(rebasing: sealed.dropLast(tagByteCount))
        guard room.count >= ciphertext.count else { throw CodecError(.tooLarge, codec: codec) }
        try begin(number)
        try cipher.expectTag(unsafe Array(sealed.suffix(tagByteCount)))
        let count = try unsafe cipher.update(ciphertext, into: room)
        guard cipher.finish() != nil else {
            // GCM knows only at the end; the caller counts no byte of it, and none may stay behind.
            unsafe UnsafeMutableRawBufferPointer(rebasing: room.prefix(count)).initializeMemory(
                as: UInt8.self, repeating: 0)
            throw CodecError(.notAuthentic, codec: codec)
        }
        return count
    }

    private func begin(_ number: AESFrameNumber) throws(CodecError) {
        try cipher.begin(number.nonce(secrets.header.noncePrefix))
        try cipher.associate(secrets.header.bytes)
    }
}
