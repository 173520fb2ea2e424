import BackupAPI

/// The authentication code of a JSON text, which stands in the text itself: HMAC-SHA-256 of the text with 64 digits `0` in its
/// place.
struct TextSeal: Sendable {
    /// What stands in the code's place while it is computed.
    static let zeros = String(repeating: "0", count: 64)

    private let key: Secret
    private let cryptography: any Cryptography

    /// Derives the key of one text.
    /// - Parameters:
    ///   - salt: what the text is bound to.
    ///   - info: the kind of text.
    init(_ repositoryKey: Secret, salt: String, info: String, cryptography: any Cryptography) throws(CodecError) {
        key = try cryptography.deriveKey(
            from: repositoryKey, salt: Array(salt.utf8), info: Array(info.utf8), byteCount: 32)
        self.cryptography = cryptography
    }

    /// The code of a text that has `zeros` in its place.
    func code(of blank: [UInt8]) -> String {
        hexadecimal(cryptography.authenticationCode(key: key, message: blank))
    }

    /// Whether the code in a text is that of the text.
    /// - Parameter code: as the text says it. Should it stand in the text before its own place too, the text does not fit.
    func fits(_ bytes: [UInt8], code: String) -> Bool {
        let pattern = Array("\"\(code)\"".utf8)
        guard code.utf8.count == 64, let range = bytes.firstRange(of: pattern) else { return false }
        var blank = bytes
        blank.replaceSubrange(range, with: Array("\"\(Self.zeros)\"".utf8))
        return self.code(of: blank) == code
    }
}
