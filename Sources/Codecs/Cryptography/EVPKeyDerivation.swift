internal import BackupAPI
internal import COpenSSL

/// Makes keys from other secrets.
enum EVPKeyDerivation {
    /// Most memory that scrypt may take, which is 128 × 8 × cost bytes: a cost of 2^22.
    static let largestCost = 1 << 22

    /// HKDF-SHA-256 (RFC 5869), extract and expand.
    /// - Parameter info: OpenSSL 3.0 takes at most 2 KiB.
    static func hkdf(
        _ secret: Secret, salt: [UInt8], info: [UInt8], byteCount: Int, codec: String
    ) throws(CodecError) -> Secret {
        guard byteCount > 0 else {
            throw CodecError(.misconfigured, codec: codec, detail: "a key of \(byteCount) bytes")
        }
        let bytes = secret.reveal()
        var key = [UInt8](repeating: 0, count: byteCount)
        guard
            unsafe pgmoneta_hkdf_sha256(
                bytes, bytes.count, salt, salt.count, info, info.count, &key, key.count) == 1
        else { throw OpenSSLFault.take(codec) }
        return Secret(key)
    }

    /// scrypt (RFC 7914) with r = 8 and p = 1.
    /// - Throws: `.misconfigured` when `cost` is not a power of two from 2 to `largestCost`.
    static func scrypt(
        _ passphrase: Secret, salt: [UInt8], cost: Int, byteCount: Int, codec: String
    ) throws(CodecError) -> Secret {
        guard (2...largestCost).contains(cost), cost.nonzeroBitCount == 1, byteCount > 0 else {
            throw CodecError(.misconfigured, codec: codec, detail: "scrypt cost \(cost), key of \(byteCount) bytes")
        }
        // OpenSSL's own limit is 32 MiB, which is less than a cost of 2^15 needs (EVP_PBE_scrypt(3)).
        let memoryLimit = UInt64(128 * 8 * (cost + 8))
        let bytes = passphrase.reveal().map { CChar(bitPattern: $0) }
        var key = [UInt8](repeating: 0, count: byteCount)
        guard
            unsafe EVP_PBE_scrypt(
                bytes, bytes.count, salt, salt.count, UInt64(cost), 8, 1, memoryLimit, &key, key.count) == 1
        else { throw OpenSSLFault.take(codec) }
        return Secret(key)
    }
}
