import BackupAPI

/// A JSON text that carries its own authentication code in an encrypted repository.
protocol AuthenticatedText: Codable {
    /// What it is, for messages.
    static var kind: String { get }
    /// What its code's key is derived with.
    static var info: String { get }
    /// Most bytes of one.
    static var byteLimit: Int { get }
    /// The reason to give when one cannot be believed.
    static var damage: EngineError.Reason { get }
    var format: Int { get }
    /// The id of the key that authenticates it; nil in a plain repository.
    var key: String? { get set }
    /// HMAC-SHA-256 of the text with 64 zeros in its place; else empty.
    var authentication: String { get set }
}

extension AuthenticatedText {
    static var damage: EngineError.Reason { .objectDamaged }
}

/// Turns such a text into the bytes of an object and back, with its authentication code.
struct AuthenticatedFile<Text: AuthenticatedText>: Sendable {
    private let keys: KeyRing
    private let cryptography: any Cryptography
    private let isEncrypted: Bool

    /// - Parameter isEncrypted: whether the repository takes encrypted objects only; a plain text is then refused.
    init(keys: KeyRing, cryptography: any Cryptography, isEncrypted: Bool) {
        self.keys = keys
        self.cryptography = cryptography
        self.isEncrypted = isEncrypted
    }

    /// The bytes to store.
    /// - Parameter name: the object's key; the code is bound to it.
    /// - Throws: `.masterKeyMissing` in an encrypted repository without a key.
    func encode(_ text: Text, name: String) throws -> [UInt8] {
        var text = text
        (text.key, text.authentication) = (nil, "")
        guard isEncrypted else { return try CanonicalJSON.encode(text) }
        guard let id = keys.currentID, let key = keys.key(id) else {
            guard keys.isEmpty else {
                throw EngineError(
                    .masterKeyMissing, "'\(name)' cannot be authenticated: all keys at hand are retired",
                    remedy: "Take a backup there, or run 'pgmoneta-admin key rotate'.")
            }
            throw EngineError(.masterKeyMissing, "'\(name)' cannot be authenticated")
        }
        (text.key, text.authentication) = (id, TextSeal.zeros)
        text.authentication = try seal(key, name).code(of: CanonicalJSON.encode(text))
        return try CanonicalJSON.encode(text)
    }

    /// Reads stored bytes.
    /// - Parameter requiresKey: whether a text that cannot be proven for want of any key is refused.
    /// - Throws: the text's reason for damage, `.unsupportedFormat`; `.masterKeyMissing` when the key that it is authenticated with
    ///   is not here.
    func decode(_ bytes: [UInt8], name: String, requiresKey: Bool = true) throws -> Text {
        guard let text = try? CanonicalJSON.decode(Text.self, from: bytes) else {
            throw EngineError(Text.damage, "'\(name)' is not \(Text.kind)")
        }
        guard text.format == Layout.formatVersion else {
            throw EngineError(.unsupportedFormat, "'\(name)' has format \(text.format)")
        }
        guard isEncrypted else { return text }
        guard let id = text.key else {
            throw EngineError(Text.damage, "'\(name)' is not authenticated where all are")
        }
        guard let key = keys.key(id) else {
            guard !requiresKey, keys.isEmpty else {
                throw EngineError(.masterKeyMissing, "'\(name)' is authenticated with key \(id)")
            }
            return text
        }
        guard try seal(key, name).fits(bytes, code: text.authentication) else {
            throw EngineError(Text.damage, "'\(name)' is not authentic: it was altered or replaced")
        }
        return text
    }

    /// The id of the key that some stored bytes say they are authenticated with.
    static func keyID(_ bytes: [UInt8]) -> String? { (try? CanonicalJSON.decode(Text.self, from: bytes))?.key }

    private func seal(_ key: Secret, _ name: String) throws(CodecError) -> TextSeal {
        try TextSeal(key, salt: name, info: Text.info, cryptography: cryptography)
    }
}
