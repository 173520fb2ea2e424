import BackupAPI

/// Turns the record of an archived file into the bytes of an object and back, with its authentication code.
struct ArchivedWALFile: Sendable {
    /// Most bytes of one record.
    static let byteLimit = 1 << 20
    private static let info = "pgmoneta-wal-1"
    private let keys: KeyRing
    private let cryptography: any Cryptography
    private let isEncrypted: Bool

    /// - Parameter isEncrypted: whether the repository takes encrypted objects only; a plain record is then refused.
    init(keys: KeyRing, cryptography: any Cryptography, isEncrypted: Bool) {
        self.keys = keys
        self.cryptography = cryptography
        self.isEncrypted = isEncrypted
    }

    /// The bytes to store.
    /// - Parameter name: the object's key; the code is bound to it.
    /// - Throws: `.masterKeyMissing` in an encrypted repository without a key.
    func encode(_ file: ArchivedWAL, name: String) throws -> [UInt8] {
        var file = file
        (file.key, file.authentication) = (nil, "")
        guard isEncrypted else { return try CanonicalJSON.encode(file) }
        guard let id = keys.currentID, let key = keys.key(id) else {
            throw EngineError(.masterKeyMissing, "'\(name)' cannot be authenticated")
        }
        (file.key, file.authentication) = (id, TextSeal.zeros)
        file.authentication = try seal(key, name).code(of: CanonicalJSON.encode(file))
        return try CanonicalJSON.encode(file)
    }

    /// Reads stored bytes.
    /// - Throws: `.objectDamaged`, `.unsupportedFormat`; `.masterKeyMissing` when it is authenticated and the key is not here.
    func decode(_ bytes: [UInt8], name: String) throws -> ArchivedWAL {
        guard let file = try? CanonicalJSON.decode(ArchivedWAL.self, from: bytes) else {
            throw EngineError(.objectDamaged, "'\(name)' is not the record of an archived file")
        }
        guard file.format == Layout.formatVersion else {
            throw EngineError(.unsupportedFormat, "'\(name)' has format \(file.format)")
        }
        guard isEncrypted else { return file }
        guard let id = file.key else {
            throw EngineError(.objectDamaged, "'\(name)' is not authenticated where all records are")
        }
        guard let key = keys.key(id) else {
            throw EngineError(.masterKeyMissing, "'\(name)' is authenticated with key \(id)")
        }
        guard try seal(key, name).fits(bytes, code: file.authentication) else {
            throw EngineError(.objectDamaged, "'\(name)' is not authentic: it was altered or replaced")
        }
        return file
    }

    private func seal(_ key: Secret, _ name: String) throws(CodecError) -> TextSeal {
        try TextSeal(key, salt: name, info: Self.info, cryptography: cryptography)
    }
}
