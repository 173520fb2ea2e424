import BackupAPI

/// Chooses the key that encrypts what is written now, and brings it to every target.
struct EncryptionKeys {
    /// What repository keys are wrapped with.
    let masterKey: MasterKey?
    let cryptography: any Cryptography
    /// Seconds since 1970.
    let now: @Sendable () -> Int

    /// The newest key that any target has; a new one when there is none. It is on every target that is well afterwards.
    /// - Throws: `.masterKeyMissing`.
    func prepare(_ opened: [(target: UploadTarget, repository: Repository)]) async throws -> KeyRing {
        guard let masterKey else {
            throw EngineError(
                .masterKeyMissing, "'encryption' is set", remedy: "Make a master key with 'pgmoneta-admin master-key'.")
        }
        var ring = KeyRing()
        // The newest one: a target that could not be reached when the keys were rotated still has the one before.
        let newest = opened.map(\.repository).max {
            ($0.currentKeyCreatedAt ?? .min) < ($1.currentKeyCreatedAt ?? .min)
        }
        var home = newest.map(\.backend)
        if let keys = newest?.keys, let id = keys.currentID, let key = keys.key(id) {
            ring.add(id: id, key: key, isCurrent: true)
        }
        for (target, _) in opened where ring.currentID == nil {
            let store = KeyStore(backend: target.backend, cryptography: cryptography)
            let made = try await target.attempt { try await store.create(for: masterKey, now: now()) }
            guard let (id, key) = made else { continue }
            ring.add(id: id, key: key, isCurrent: true)
            home = target.backend
        }
        guard let id = ring.currentID, let home else { return ring }
        let store = KeyStore(backend: home, cryptography: cryptography)
        for (target, repository) in opened where repository.keys.key(id) == nil {
            let other = KeyStore(backend: target.backend, cryptography: cryptography)
            _ = try await target.attempt { try await store.copy(id, to: other, isForNewBackups: true) }
        }
        return ring
    }
}
