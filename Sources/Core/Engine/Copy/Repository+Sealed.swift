import BackupAPI

/// Repositories whose keys may be missing: enough to move objects about that are not decoded.
extension Repository {
    /// Opens a repository with those of its keys that the master key fits.
    /// - Throws: `EngineError` for a newer format, or when there is no repository.
    static func openSealed(
        _ backend: any StorageBackend, masterKey: MasterKey?, cryptography: any Cryptography
    ) async throws -> Repository {
        guard let description = try await description(of: backend) else {
            throw EngineError(.noBackup, "\(backend.displayName) is no repository")
        }
        let keys = try await KeyStore(backend: backend, cryptography: cryptography).load(
            with: masterKey, isRequired: false)
        return Repository(name: backend.displayName, backend: backend, description: description, keys: keys)
    }

    /// Opens the repository that a backup is copied to, and makes it when there is none.
    /// - Parameter isEncrypted: whether the backup is encrypted.
    /// - Throws: `.encryptionRequired` when a plain backup would come into an encrypted repository; `.plainRepository` when an
    ///   encrypted one would come into a plain repository.
    static func openSealedOrCreate(
        _ backend: any StorageBackend, isEncrypted: Bool, masterKey: MasterKey?, cryptography: any Cryptography
    ) async throws -> Repository {
        let fresh = RepositoryDescription(id: try newID(cryptography), isEncrypted: isEncrypted)
        let bytes = try CanonicalJSON.encode(fresh)
        if try await description(of: backend) == nil {
            // When another run makes it in the meantime, its description counts.
            _ = try await backend.create(Layout.repository(), bytes: bytes)
        }
        let found = try await openSealed(backend, masterKey: masterKey, cryptography: cryptography)
        try found.description.requireKind(isEncrypted: isEncrypted, at: backend.displayName)
        return found
    }
}
