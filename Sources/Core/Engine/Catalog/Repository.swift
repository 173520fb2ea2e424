package import BackupAPI

/// What `repository.json` says about a target.
package struct RepositoryDescription: Sendable, Hashable, Codable {
    package var format = Layout.formatVersion
    /// Random and unique.
    package var id: String
    /// Whether backups here are encrypted: all are, or none is. Set once, when the repository is made.
    package var isEncrypted: Bool

    /// Refuses to write a backup of the other kind. An encrypted one beside plain ones would look safer than it is: who can
    /// write to the place could put a plain one of their own beside it, and it would be restored.
    /// - Throws: `.encryptionRequired`, `.plainRepository`.
    func requireKind(isEncrypted: Bool, at place: String) throws(EngineError) {
        guard isEncrypted != self.isEncrypted else { return }
        guard isEncrypted else { throw EngineError(.encryptionRequired, "\(place) takes no plain backups") }
        throw EngineError(.plainRepository, "\(place) was made for plain backups")
    }
}

/// One target as a repository: its description, its keys and its backend.
package struct Repository: Sendable {
    /// The target's name in the configuration, or its URL.
    package let name: String
    package let backend: any StorageBackend
    package let description: RepositoryDescription
    /// Keys that objects here may be encrypted with.
    package private(set) var keys: KeyRing
    /// When the key was made that new objects are encrypted with, in seconds since 1970; nil where there is none.
    let currentKeyCreatedAt: Int?
    /// Whether there is a key for new objects that the secret at hand does not open.
    private let lacksCurrentKey: Bool

    init(name: String, backend: any StorageBackend, description: RepositoryDescription, keys: OpenedKeys) {
        self.name = name
        self.backend = backend
        self.description = description
        self.keys = keys.ring
        currentKeyCreatedAt = keys.currentCreatedAt
        lacksCurrentKey = keys.lacksCurrent
    }

    /// The same repository, where what is new is encrypted with the current key of a ring, if it has one.
    func encrypting(with ring: KeyRing) -> Repository {
        var repository = self
        if let id = ring.currentID, let key = ring.key(id) { repository.keys.add(id: id, key: key, isCurrent: true) }
        return repository
    }

    /// Opens a repository; nil when there is none.
    /// - Throws: `EngineError` for a newer format, a missing or wrong master key, or a damaged key.
    package static func open(
        name: String, backend: any StorageBackend, masterKey: MasterKey?, cryptography: any Cryptography
    ) async throws -> Repository? {
        guard let description = try await description(of: backend) else { return nil }
        let store = KeyStore(backend: backend, cryptography: cryptography)
        let keys = try await store.load(with: masterKey, isRequired: description.isEncrypted)
        return Repository(name: name, backend: backend, description: description, keys: keys)
    }

    /// Reads what a target says about itself; nil when there is no repository.
    /// - Throws: `.unsupportedFormat`.
    static func description(of backend: any StorageBackend) async throws -> RepositoryDescription? {
        guard let bytes = try await backend.readIfPresent(Layout.repository(), limit: 65_536) else { return nil }
        let description: RepositoryDescription
        do {
            description = try CanonicalJSON.decode(RepositoryDescription.self, from: bytes)
        } catch {
            throw EngineError(.unsupportedFormat, "'repository.json' at \(backend.displayName) cannot be read")
        }
        guard description.format == Layout.formatVersion else {
            throw EngineError(.unsupportedFormat, "\(backend.displayName) has format \(description.format)")
        }
        return description
    }

    /// Opens a repository for writing, and makes it when there is none.
    /// - Parameter isEncrypted: whether what will be written is encrypted.
    /// - Throws: `.encryptionRequired` or `.plainRepository` when the repository is for the other kind.
    package static func openOrCreate(
        name: String, backend: any StorageBackend, isEncrypted: Bool, masterKey: MasterKey?,
        cryptography: any Cryptography
    ) async throws -> Repository {
        let id = try newID(cryptography)
        let fresh = try CanonicalJSON.encode(RepositoryDescription(id: id, isEncrypted: isEncrypted))
        if try await backend.readIfPresent(Layout.repository(), limit: 65_536) == nil {
            // When another run makes it in the meantime, its description counts.
            _ = try await backend.create(Layout.repository(), bytes: fresh)
        }
        guard
            let found = try await open(name: name, backend: backend, masterKey: masterKey, cryptography: cryptography)
        else { throw EngineError(.unsupportedFormat, "'repository.json' at \(backend.displayName) vanished") }
        try found.description.requireKind(isEncrypted: isEncrypted, at: backend.displayName)
        // One that opens old keys only was left out when the last one was made, and would go on with a key that others should not know.
        // Where all keys are retired, which copied backups brought along, a new one is made.
        guard found.keys.currentID != nil || !found.lacksCurrentKey else {
            throw EngineError(
                .notRecipient, "this master key opens older keys at \(backend.displayName), not the one that encrypts",
                remedy: "Have a recipient of that one run 'pgmoneta-admin key add'; 'key list' shows them.")
        }
        return found
    }

    /// Notes which cluster a server name stands for, or checks it.
    /// - Throws: `.otherCluster` when the name stands for another one.
    package func requireCluster(_ systemIdentifier: String, server: String) async throws {
        let key = try Layout.identity(server)
        let identity = try CanonicalJSON.encode(ServerIdentity(systemIdentifier: systemIdentifier))
        if try await backend.create(key, bytes: identity) { return }
        let bytes = try await backend.read(key, limit: 65_536)
        guard let stored = try? CanonicalJSON.decode(ServerIdentity.self, from: bytes) else {
            throw EngineError(.objectDamaged, "'\(key)' at \(backend.displayName) is not a server's identity")
        }
        guard stored.systemIdentifier == systemIdentifier else {
            throw EngineError(
                .otherCluster,
                "'\(server)' at \(backend.displayName) is system \(stored.systemIdentifier), this is \(systemIdentifier)"
            )
        }
    }

    /// A random identifier of 128 bits, written as a UUID of version 4 (RFC 9562, section 5.4).
    package static func newID(_ cryptography: any Cryptography) throws -> String {
        var bytes = try cryptography.randomBytes(16)
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        let text = Array(hexadecimal(bytes))
        return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(text[$0]) }.joined(separator: "-")
    }
}

/// What `<server>/identity.json` says.
struct ServerIdentity: Codable {
    var systemIdentifier: String
}
