import BackupAPI

/// Chooses the key that encrypts what is written now, and brings it to every target.
struct EncryptionKeys {
    /// What repository keys are wrapped with.
    let masterKey: MasterKey?
    let cryptography: any Cryptography
    /// Seconds since 1970.
    let now: @Sendable () -> Int

    /// The newest key that the first target with one has; a new one when there is none. It is on every target that is well
    /// afterwards.
    /// - Throws: `.masterKeyMissing`.
    func prepare(_ opened: [(target: UploadTarget, repository: Repository)]) async throws -> KeyRing {
        guard let masterKey else {
            throw EngineError(
                .masterKeyMissing, "'encryption' is set", remedy: "Make a master key with 'pgmoneta-admin master-key'.")
        }
        var ring = KeyRing()
        for (_, repository) in opened {
            if ring.currentID == nil, let id = repository.keys.currentID, let key = repository.keys.key(id) {
                ring.add(id: id, key: key, isCurrent: true)
            }
        }
        for (target, _) in opened where ring.currentID == nil {
            let store = KeyStore(backend: target.backend, cryptography: cryptography)
            let made = try await target.attempt { try await store.create(for: masterKey, now: now()) }
            if let (id, key) = made { ring.add(id: id, key: key, isCurrent: true) }
        }
        guard let id = ring.currentID, let key = ring.key(id) else { return ring }
        for (target, repository) in opened where repository.keys.key(id) == nil {
            let store = KeyStore(backend: target.backend, cryptography: cryptography)
            _ = try await target.attempt { try await store.store(id: id, key: key, for: masterKey, now: now()) }
        }
        return ring
    }
}
