import BackupAPI

/// Opens key objects with the secrets at hand. What a passphrase becomes is computed once for each salt, because it takes long.
struct KeyOpener {
    private let secrets: [MasterKey]
    private let cryptography: any Cryptography
    private var stretched: [PassphraseStretch: [MasterKey]] = [:]

    init(_ secrets: [MasterKey], cryptography: any Cryptography) {
        self.secrets = secrets
        self.cryptography = cryptography
    }

    /// The key of a wrap's recipient; nil when its secret is not at hand.
    mutating func holder(of wrap: WrappedKey.Wrap) throws -> MasterKey? {
        switch WrappedKey.Wrap.Kind(rawValue: wrap.kind) {
        case .masterKey: secrets.first { !$0.isPassphrase && $0.id == wrap.recipient }
        case .passphrase: try wrap.scrypt.flatMap { try keys(of: $0).first { $0.id == wrap.recipient } }
        case nil: nil
        }
    }

    /// The repository key in an object; nil when no secret at hand is that of a recipient.
    /// - Throws: `.keyDamaged` when there is one, and the object is not what was made for it.
    mutating func open(_ stored: StoredKey) throws -> RepositoryKey? {
        for wrap in stored.wrapped.wraps {
            guard let master = try holder(of: wrap) else { continue }
            guard let secret = Recipient.open(wrap, of: stored.id, with: master, cryptography) else {
                throw EngineError(.keyDamaged, "'\(stored.key)' does not open with its recipient \(wrap.recipient)")
            }
            guard try isAuthentic(stored, secret) else {
                throw EngineError(.keyDamaged, "'\(stored.key)' is not authentic: it was altered")
            }
            return RepositoryKey(id: stored.id, secret: secret)
        }
        return nil
    }

    private func isAuthentic(_ stored: StoredKey, _ secret: Secret) throws -> Bool {
        guard let code = stored.wrapped.authentication else { return stored.revision == 0 }
        return try TextSeal.ofKey(stored.key, secret, cryptography).fits(stored.bytes, code: code)
    }

    private mutating func keys(of stretch: PassphraseStretch) throws -> [MasterKey] {
        if let known = stretched[stretch] { return known }
        var keys: [MasterKey] = []
        for secret in secrets where secret.isPassphrase {
            if let key = try stretch.key(of: secret.secret, cryptography) { keys.append(key) }
        }
        stretched[stretch] = keys
        return keys
    }
}

extension TextSeal {
    /// The authentication code of a key object.
    static func ofKey(
        _ name: ObjectKey, _ secret: Secret, _ cryptography: any Cryptography
    ) throws(CodecError) -> TextSeal {
        try TextSeal(secret, salt: name.string, info: "pgmoneta-key-1", cryptography: cryptography)
    }
}

extension WrappedKey {
    /// The bytes to store under a key of the place, authenticated.
    func sealed(as name: ObjectKey, with key: RepositoryKey, _ cryptography: any Cryptography) throws -> [UInt8] {
        var wrapped = self
        wrapped.authentication = TextSeal.zeros
        wrapped.authentication = try TextSeal.ofKey(name, key.secret, cryptography).code(
            of: CanonicalJSON.encode(wrapped))
        return try CanonicalJSON.encode(wrapped)
    }
}
