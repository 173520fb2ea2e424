/// Names a digest as PostgreSQL and `sha512sum` know it.
public enum DigestAlgorithm: String, Sendable, Hashable, CaseIterable {
    case sha224, sha256, sha384, sha512
}

/// Computes one digest, front to back. One task uses it.
public protocol Digest: AnyObject {
    /// Takes more bytes.
    func update(_ bytes: RawSpan)
    /// Gives the digest; no call follows.
    func finish() -> [UInt8]
}

/// Cryptographic primitives that the engine needs. The standard kit's come from OpenSSL's EVP interface.
public protocol Cryptography: Sendable {
    /// Begins a digest.
    func makeDigest(_ algorithm: DigestAlgorithm) -> any Digest
    /// Random bytes fit for keys.
    func randomBytes(_ count: Int) throws(CodecError) -> [UInt8]
    /// HMAC-SHA-256 (RFC 2104).
    func authenticationCode(key: Secret, message: [UInt8]) -> [UInt8]
    /// HKDF-SHA-256 (RFC 5869), extract and expand.
    func deriveKey(from secret: Secret, salt: [UInt8], info: [UInt8], byteCount: Int) throws(CodecError) -> Secret
    /// scrypt (RFC 7914); `cost` is N, a power of two, with r = 8 and p = 1.
    func deriveKey(fromPassphrase passphrase: Secret, salt: [UInt8], cost: Int, byteCount: Int) throws(CodecError)
        -> Secret
    /// Encrypts a small secret with AES-256-GCM: nonce of 12 bytes, ciphertext, tag of 16 bytes.
    func seal(_ plain: Secret, key: Secret, associated: [UInt8]) throws(CodecError) -> [UInt8]
    /// Decrypts what `seal` made.
    /// - Throws: `.notAuthentic` when key, bytes or associated bytes are not those of `seal`.
    func open(_ sealed: [UInt8], key: Secret, associated: [UInt8]) throws(CodecError) -> Secret
}
