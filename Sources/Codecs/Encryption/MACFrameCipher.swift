internal import BackupAPI

/// AES in CBC or CTR mode (NIST SP 800-38A), then HMAC-SHA-256 of header, nonce, initialization vector and ciphertext.
///
/// The initialization vector is derived, not stored. For CTR it is the frame's nonce and 4 bytes of block counter from 0, so
/// that frames of one object never share a counter block. For CBC it is that block encrypted with the object's key, which
/// nobody else can predict (SP 800-38A, appendix C, first method).
final class MACFrameCipher: AESFrameCipher {
    private static let blockByteCount = 16

    private let secrets: AESObjectSecrets
    private let cipher: EVPCipher
    private let blockCipher: EVPCipher
    private let authenticator: EVPAuthenticator

    private var mode: AESMode { secrets.header.mode }
    private var tagByteCount: Int { mode.tagByteCount }

    /// Makes the cipher of one object.
    init(_ secrets: AESObjectSecrets, _ direction: EVPCipher.Direction) throws(CodecError) {
        self.secrets = secrets
        let mode = secrets.header.mode
        cipher = try unsafe EVPCipher(mode.cipher, key: secrets.encryptionKey, direction, codec: mode.name)
        blockCipher = try unsafe EVPCipher(mode.blockCipher, key: secrets.encryptionKey, .encrypt, codec: mode.name)
        authenticator = try EVPAuthenticator(key: secrets.authenticationKey, codec: mode.name)
    }

    func seal(
        _ plain: UnsafeRawBufferPointer, as number: AESFrameNumber, into room: UnsafeMutableRawBufferPointer
    ) throws(CodecError) -> Int {
        guard room.count >= mode.sealedByteCount(forPlain: plain.count) else {
            throw CodecError(.tooLarge, codec: mode.name)
        }
        let nonce = number.nonce(secrets.header.noncePrefix)
        let initialization = try initializationVector(nonce)
        try cipher.begin(initialization)
        var count = try unsafe cipher.update(plain, into: room)
        guard let padded = cipher.finish() else { throw OpenSSLFault.take(mode.name) }
        unsafe UnsafeMutableRawBufferPointer(rebasing: room[count...]).copyBytes(from: padded)
        count += padded.count
        let tag = try unsafe authenticate(nonce, initialization, UnsafeRawBufferPointer(rebasing: room.prefix(count)))
        unsafe UnsafeMutableRawBufferPointer(rebasing: room[count...]).copyBytes(from: tag)
        return count + tag.count
    }

    func open(
        _ sealed: UnsafeRawBufferPointer, as number: AESFrameNumber, into room: UnsafeMutableRawBufferPointer
    ) throws(CodecError) -> Int {
        guard sealed.count >= tagByteCount else { throw CodecError(.truncated, codec: mode.name) }
        let ciphertext = unsafe UnsafeRawBufferPointer(rebasing: sealed.dropLast(tagByteCount))
        let nonce = number.nonce(secrets.header.noncePrefix)
        let initialization = try initializationVector(nonce)
        let tag = try unsafe authenticate(nonce, initialization, ciphertext)
        guard EVPAuthenticator.areEqual(tag, unsafe Array(sealed.suffix(tagByteCount))) else {
            throw CodecError(.notAuthentic, codec: mode.name)
        }
        try cipher.begin(initialization)
        return try unsafe decrypt(ciphertext, into: room)
    }

    /// Decrypts what is authentic. `room` may be too small for the padding, which is never written to it.
    private func decrypt(
        _ ciphertext: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer
    ) throws(CodecError) -> Int {
        // In CBC mode `update` holds the last block back, for `finish` to take the padding off.
        let held = mode.chaining == .cbc ? Self.blockByteCount : 0
        guard room.count >= ciphertext.count - held else { throw CodecError(.tooLarge, codec: mode.name) }
        let count = try unsafe cipher.update(ciphertext, into: room)
        guard let rest = cipher.finish() else { throw CodecError(.damaged, codec: mode.name, detail: "padding") }
        guard room.count - count >= rest.count else { throw CodecError(.tooLarge, codec: mode.name) }
        unsafe UnsafeMutableRawBufferPointer(rebasing: room[count...]).copyBytes(from: rest)
        return count + rest.count
    }

    private func initializationVector(_ nonce: [UInt8]) throws(CodecError) -> [UInt8] {
        let block = nonce + [UInt8](repeating: 0, count: Self.blockByteCount - nonce.count)
        guard mode.chaining == .cbc else { return block }
        try blockCipher.begin([])
        // ECB gives the block at once; `finish` would only add a block of padding.
        return try blockCipher.update(block)
    }

    /// All parts but the last have a length that the header fixes, so no two messages run together.
    private func authenticate(
        _ nonce: [UInt8], _ initialization: [UInt8], _ ciphertext: UnsafeRawBufferPointer
    ) throws(CodecError) -> [UInt8] {
        try authenticator.begin()
        try authenticator.update(secrets.header.bytes + nonce + initialization)
        try unsafe authenticator.update(ciphertext)
        return try authenticator.finish()
    }
}
