package import BackupAPI

/// The keys of a repository that a secret opens.
package struct OpenedKeys: Sendable {
    package fileprivate(set) var ring = KeyRing()
    /// When the key that encrypts was made, in seconds since 1970; nil where there is none.
    package fileprivate(set) var currentCreatedAt: Int?
    /// Whether there is a key for new backups that was not opened.
    package fileprivate(set) var lacksCurrent = false
}

/// The repository keys that are kept, wrapped, beside the data.
package struct KeyStore: Sendable {
    private static let shortestPassphrase = 8
    let backend: any StorageBackend
    let cryptography: any Cryptography

    package init(backend: any StorageBackend, cryptography: any Cryptography) {
        self.backend = backend
        self.cryptography = cryptography
    }

    /// Unwraps all keys that the secret fits.
    /// - Throws: when `isRequired` and there are keys, but none could be unwrapped: `.masterKeyMissing` without a secret, else
    ///   `.notRecipient`. `.keyDamaged`.
    package func load(with master: MasterKey?, isRequired: Bool) async throws -> OpenedKeys {
        var opener = KeyOpener([master].compactMap(\.self), cryptography: cryptography)
        var opened = OpenedKeys()
        let stored = try await stored()
        for wrapped in stored {
            guard let key = try opener.open(wrapped) else {
                if !wrapped.isRetired { opened.lacksCurrent = true }
                continue
            }
            opened.ring.add(id: key.id, key: key.secret, isCurrent: !wrapped.isRetired)
            if !wrapped.isRetired { opened.currentCreatedAt = wrapped.wrapped.createdAt }
        }
        guard !isRequired || !opened.ring.isEmpty || stored.isEmpty else {
            throw master.map { notRecipient($0, stored) }
                ?? EngineError(.masterKeyMissing, "\(backend.displayName): no master key was found")
        }
        return opened
    }

    /// Makes a repository key and stores it wrapped.
    /// - Returns: the id and the key; durable on the target.
    /// - Throws: `.unsupported` for a passphrase that somebody could guess, or that a command printed by mistake, such as `null`.
    package func create(for master: MasterKey, now: Int) async throws -> (id: String, key: Secret) {
        guard !master.isPassphrase || master.secret.revealText().count >= Self.shortestPassphrase else {
            throw EngineError(
                .unsupported, "the passphrase has fewer than \(Self.shortestPassphrase) characters",
                remedy: "Use a longer one for the first backup, or a master key ('pgmoneta-admin master-key').")
        }
        let key = try RepositoryKey(cryptography)
        try await store(key, for: [Recipient(master, cryptography: cryptography)], now: now)
        return (key.id, key.secret)
    }

    /// Stores a new key, wrapped for all of its recipients at once.
    func store(_ key: RepositoryKey, for recipients: [Recipient], now: Int) async throws {
        let name = try Layout.key(key.id)
        let wraps = try recipients.map { try $0.wrap(key, cryptography) }
        let wrapped = WrappedKey(id: key.id, createdAt: now, wraps: wraps)
        // When it is there already it is the same key: ids are random and never used twice.
        _ = try await backend.create(name, bytes: wrapped.sealed(as: name, with: key, cryptography))
    }

    /// Sees to it that nothing is encrypted with a key any more.
    func retire(_ id: String) async throws {
        _ = try await backend.create(Layout.retiredKey(id), bytes: CanonicalJSON.encode(["id": id]))
    }

    /// Removes objects of older revisions.
    func remove(_ superseded: [ObjectKey]) async throws {
        guard !superseded.isEmpty else { return }
        if let failure = try await backend.delete(superseded).values.first { throw failure }
    }

    /// Copies a wrapped key to another place as it is stored, with its recipients. One that is there stays: ids are random, so it is
    /// the same key, maybe for other recipients.
    /// - Parameter isForNewBackups: whether it may encrypt there; else it may not where there are other keys, because its
    ///   recipients are those of another place.
    func copy(_ id: String, to destination: KeyStore, isForNewBackups: Bool) async throws {
        let there = try await destination.stored()
        guard !there.contains(where: { $0.id == id }) else { return }
        guard let stored = try await stored().first(where: { $0.id == id }) else {
            throw EngineError(.keyDamaged, "'\(try Layout.key(id))' at \(backend.displayName) is missing")
        }
        if !isForNewBackups, stored.isRetired || there.contains(where: { !$0.isRetired }) {
            try await destination.retire(id)
        }
        _ = try await destination.backend.create(stored.key, bytes: stored.bytes)
    }

    /// That a secret opens none of the keys.
    func notRecipient(_ master: MasterKey, _ stored: [StoredKey]) -> EngineError {
        let who = master.isPassphrase ? "this passphrase" : "master key \(master.id)"
        return EngineError(
            .notRecipient, "\(who) is not one of the recipients at \(backend.displayName): \(stored.recipientsText)")
    }
}
