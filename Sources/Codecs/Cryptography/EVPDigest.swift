internal import BackupAPI
internal import COpenSSL

/// A digest of the SHA-2 family (FIPS 180-4) through EVP_DigestInit(3).
@safe final class EVPDigest: Digest {
    private let context: OpaquePointer
    private let byteCount: Int

    /// Begins a digest.
    init(_ algorithm: DigestAlgorithm) {
        let kind =
            switch algorithm {
            case .sha224: unsafe EVP_sha224()
            case .sha256: unsafe EVP_sha256()
            case .sha384: unsafe EVP_sha384()
            case .sha512: unsafe EVP_sha512()
            }
        // Every OpenSSL has these four, so this only fails when there is no memory for a few hundred bytes.
        guard let context = unsafe EVP_MD_CTX_new(), unsafe EVP_DigestInit_ex(context, kind, nil) == 1 else {
            preconditionFailure("OpenSSL cannot begin \(algorithm.rawValue)")
        }
        unsafe self.context = unsafe context
        byteCount = unsafe Int(EVP_MD_get_size(kind))
    }

    deinit {
        unsafe EVP_MD_CTX_free(context)
    }

    func update(_ bytes: RawSpan) {
        unsafe bytes.withUnsafeBytes { (buffer: UnsafeRawBufferPointer) in
            // Fails only after `finish`, which no call may follow.
            let code = unsafe EVP_DigestUpdate(context, buffer.baseAddress, buffer.count)
            precondition(code == 1, "a digest was updated after its end")
        }
    }

    func finish() -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: byteCount)
        let code = unsafe EVP_DigestFinal_ex(context, &digest, nil)
        precondition(code == 1, "a digest was finished twice")
        return digest
    }
}
