public import BackupAPI
internal import COpenSSL

/// The engine's cryptographic primitives, from OpenSSL's EVP interface.
public struct OpenSSLCryptography: Cryptography {
    private static let codec = "aes-256-gcm"
    private static let nonceByteCount = 12
    private static let tagByteCount = 16

    /// Makes the primitives; they hold nothing.
    public init() {}

    public func makeDigest(_ algorithm: DigestAlgorithm) -> any Digest { EVPDigest(algorithm) }

    public func randomBytes(_ count: Int) throws(CodecError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        guard unsafe RAND_bytes(&bytes, Int32(count)) == 1 else { throw OpenSSLFault.take("random") }
        return bytes
    }

    public func authenticationCode(key: Secret, message: [UInt8]) -> [UInt8] {
        do throws(CodecError) {
            let authenticator = try EVPAuthenticator(key: key, codec: "hmac-sha-256")
            try authenticator.begin()
            try authenticator.update(message)
            return try authenticator.finish()
        } catch {
            // Every OpenSSL has HMAC-SHA-256, so this only fails when there is no memory for a few hundred bytes.
            preconditionFailure(error.summary)
        }
    }

    public func deriveKey(
        from secret: Secret, salt: [UInt8], info: [UInt8], byteCount: Int
    ) throws(CodecError) -> Secret {
        try EVPKeyDerivation.hkdf(secret, salt: salt, info: info, byteCount: byteCount, codec: "hkdf-sha-256")
    }

    public func deriveKey(
        fromPassphrase passphrase: Secret, salt: [UInt8], cost: Int, byteCount: Int
    ) throws(CodecError) -> Secret {
        try EVPKeyDerivation.scrypt(passphrase, salt: salt, cost: cost, byteCount: byteCount, codec: "scrypt")
    }

    public func seal(_ plain: Secret, key: Secret, associated: [UInt8]) throws(CodecError) -> [UInt8] {
        let nonce = try randomBytes(Self.nonceByteCount)
        let (ciphertext, cipher) = try transform(plain.reveal(), .encrypt, key, nonce, associated)
        guard cipher.finish() != nil else { throw OpenSSLFault.take(Self.codec) }
        return nonce + ciphertext + (try cipher.tag())
    }

    public func open(_ sealed: [UInt8], key: Secret, associated: [UInt8]) throws(CodecError) -> Secret {
        guard sealed.count >= Self.nonceByteCount + Self.tagByteCount else {
            throw CodecError(.truncated, codec: Self.codec)
        }
        let nonce = Array(sealed.prefix(Self.nonceByteCount))
        let ciphertext = Array(sealed.dropFirst(Self.nonceByteCount).dropLast(Self.tagByteCount))
        let (plain, cipher) = try transform(ciphertext, .decrypt, key, nonce, associated)
        try cipher.expectTag(Array(sealed.suffix(Self.tagByteCount)))
        guard cipher.finish() != nil else { throw CodecError(.notAuthentic, codec: Self.codec) }
        return Secret(plain)
    }

    private func transform(
        _ input: [UInt8], _ direction: EVPCipher.Direction, _ key: Secret, _ nonce: [UInt8], _ associated: [UInt8]
    ) throws(CodecError) -> ([UInt8], EVPCipher) {
        guard key.reveal().count == 32 else {
            throw CodecError(.misconfigured, codec: Self.codec, detail: "a key of \(key.reveal().count) bytes")
        }
        let cipher = try unsafe EVPCipher(EVP_aes_256_gcm(), key: key, direction, codec: Self.codec)
        try cipher.begin(nonce)
        try cipher.associate(associated)
        return (try cipher.update(input), cipher)
    }
}
