package import BackupAPI

/// Somebody whose secret is at hand, so that a repository key can be wrapped for it.
package struct Recipient: Sendable {
    private static let info = Array("pgmoneta-key-encryption-1".utf8)

    /// Its secret as a key.
    private let master: MasterKey
    /// What people call it.
    let name: String?
    /// Of a passphrase.
    private let scrypt: PassphraseStretch?
    /// The secret as it was given.
    let origin: MasterKey

    var id: String { master.id }

    /// Makes a recipient of a secret; a passphrase gets a salt, and is another recipient each time.
    package init(_ origin: MasterKey, name: String? = nil, cryptography: any Cryptography) throws {
        self.origin = origin
        self.name = name
        guard origin.isPassphrase else {
            (master, scrypt) = (origin, nil)
            return
        }
        let stretch = try PassphraseStretch(cryptography)
        guard let key = try stretch.key(of: origin.secret, cryptography) else {
            throw EngineError(.unsupported, "the passphrase cannot be made a key")
        }
        (master, scrypt) = (key, stretch)
    }

    /// Takes the recipient of a wrap, whose key was found.
    init(_ master: MasterKey, of wrap: WrappedKey.Wrap) {
        self.master = master
        name = wrap.name
        scrypt = wrap.scrypt
        origin = master
    }

    /// Wraps a repository key.
    func wrap(_ key: RepositoryKey, _ cryptography: any Cryptography) throws(CodecError) -> WrappedKey.Wrap {
        let salt = try cryptography.randomBytes(16)
        let sealed = try cryptography.seal(
            key.secret, key: Self.keyEncryptionKey(master, salt, cryptography), associated: Array(key.id.utf8))
        let kind = scrypt == nil ? WrappedKey.Wrap.Kind.masterKey : .passphrase
        return WrappedKey.Wrap(
            kind: kind.rawValue, recipient: master.id, name: name, scrypt: scrypt, salt: hexadecimal(salt),
            sealed: hexadecimal(sealed))
    }

    /// Opens a wrap that was made for a master key; nil when it is not what was made.
    static func open(
        _ wrap: WrappedKey.Wrap, of id: String, with master: MasterKey, _ cryptography: any Cryptography
    ) -> Secret? {
        guard let salt = bytes(hexadecimal: wrap.salt), let sealed = bytes(hexadecimal: wrap.sealed) else { return nil }
        return try? cryptography.open(
            sealed, key: keyEncryptionKey(master, salt, cryptography), associated: Array(id.utf8))
    }

    private static func keyEncryptionKey(
        _ master: MasterKey, _ salt: [UInt8], _ cryptography: any Cryptography
    ) throws(CodecError) -> Secret {
        try cryptography.deriveKey(from: master.secret, salt: salt, info: info, byteCount: MasterKey.byteCount)
    }
}
