internal import BackupAPI
internal import COpenSSL

/// A way to encrypt with AES. The raw value is the number in an object's header and in `raw` output.
enum AESMode: UInt8, Sendable, CaseIterable {
    case gcm256 = 1
    case gcm192, gcm128, cbc256, cbc192, cbc128, ctr256, ctr192, ctr128

    /// How blocks are chained (NIST SP 800-38A and 800-38D).
    enum Chaining: String, Sendable {
        /// Authenticated by itself.
        case gcm
        /// Padded to whole blocks, and authenticated by HMAC-SHA-256 of the ciphertext.
        case cbc
        /// Authenticated by HMAC-SHA-256 of the ciphertext.
        case ctr
    }

    /// The recorded name, such as `aes-256-gcm`.
    var name: String { "aes-\(keyByteCount * 8)-\(chaining.rawValue)" }

    /// Other names that configuration files use.
    var aliases: [String] {
        switch self {
        case .gcm256: ["aes", "aes-256"]
        case .gcm192: ["aes-192"]
        case .gcm128: ["aes-128"]
        default: []
        }
    }

    /// How blocks are chained.
    var chaining: Chaining {
        switch self {
        case .gcm256, .gcm192, .gcm128: .gcm
        case .cbc256, .cbc192, .cbc128: .cbc
        case .ctr256, .ctr192, .ctr128: .ctr
        }
    }

    /// Bytes in the cipher's key.
    var keyByteCount: Int {
        switch self {
        case .gcm256, .cbc256, .ctr256: 32
        case .gcm192, .cbc192, .ctr192: 24
        case .gcm128, .cbc128, .ctr128: 16
        }
    }

    /// Bytes in the key that authenticates; none where the cipher does it itself.
    var authenticationKeyByteCount: Int { chaining == .gcm ? 0 : EVPAuthenticator.codeByteCount }

    /// Bytes of the tag behind each frame's ciphertext.
    var tagByteCount: Int { chaining == .gcm ? 16 : EVPAuthenticator.codeByteCount }

    /// Bytes of ciphertext and tag that `byteCount` plain bytes become.
    func sealedByteCount(forPlain byteCount: Int) -> Int {
        let ciphertext = chaining == .cbc ? (byteCount / 16 + 1) * 16 : byteCount
        return ciphertext + tagByteCount
    }

    /// OpenSSL's name for the cipher.
    var cipher: OpaquePointer? {
        switch self {
        case .gcm256: unsafe EVP_aes_256_gcm()
        case .gcm192: unsafe EVP_aes_192_gcm()
        case .gcm128: unsafe EVP_aes_128_gcm()
        case .cbc256: unsafe EVP_aes_256_cbc()
        case .cbc192: unsafe EVP_aes_192_cbc()
        case .cbc128: unsafe EVP_aes_128_cbc()
        case .ctr256: unsafe EVP_aes_256_ctr()
        case .ctr192: unsafe EVP_aes_192_ctr()
        case .ctr128: unsafe EVP_aes_128_ctr()
        }
    }

    /// OpenSSL's name for the bare block cipher with a key of the same length.
    var blockCipher: OpaquePointer? {
        switch keyByteCount {
        case 32: unsafe EVP_aes_256_ecb()
        case 24: unsafe EVP_aes_192_ecb()
        default: unsafe EVP_aes_128_ecb()
        }
    }
}
