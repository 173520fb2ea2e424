internal import BackupAPI
internal import COpenSSL

/// HMAC-SHA-256 (RFC 2104) with one key, for one message after the other (EVP_MAC(3)).
@safe final class EVPAuthenticator {
    /// Bytes in a code.
    static let codeByteCount = 32

    private let codec: String
    private let context: OpaquePointer

    /// Makes a context with `key`, which may be of any length.
    init(key: Secret, codec: String) throws(CodecError) {
        self.codec = codec
        let bytes = key.reveal()
        // OpenSSL takes a null pointer for "no key yet", and an empty array may have one.
        let address = bytes.isEmpty ? [0] : bytes
        guard let context = unsafe pgmoneta_hmac_sha256_new(address, bytes.count) else {
            throw OpenSSLFault.take(codec)
        }
        unsafe self.context = unsafe context
    }

    deinit {
        unsafe EVP_MAC_CTX_free(context)
    }

    /// Begins a message.
    func begin() throws(CodecError) {
        guard unsafe EVP_MAC_init(context, nil, 0, nil) == 1 else { throw OpenSSLFault.take(codec) }
    }

    /// Takes bytes of the message.
    func update(_ bytes: UnsafeRawBufferPointer) throws(CodecError) {
        guard bytes.count > 0 else { return }
        let address = unsafe bytes.assumingMemoryBound(to: UInt8.self).baseAddress
        guard unsafe EVP_MAC_update(context, address, bytes.count) == 1 else { throw OpenSSLFault.take(codec) }
    }

    /// Takes bytes of the message.
    func update(_ bytes: [UInt8]) throws(CodecError) {
        guard unsafe EVP_MAC_update(context, bytes, bytes.count) == 1 else { throw OpenSSLFault.take(codec) }
    }

    /// Ends the message and gives its code.
    func finish() throws(CodecError) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: Self.codeByteCount)
        var count = 0
        guard unsafe EVP_MAC_final(context, &code, &count, code.count) == 1, count == Self.codeByteCount else {
            throw OpenSSLFault.take(codec)
        }
        return code
    }

    /// Compares two codes in a time that does not depend on where they differ.
    static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        return unsafe CRYPTO_memcmp(left, right, left.count) == 0
    }
}
