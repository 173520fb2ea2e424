package import BackupAPI

/// The operator's secret that repository keys are wrapped with.
package struct MasterKey: Sendable, Hashable {
    /// Names it, so that a wrong one is told from a damaged one.
    package let id: String
    /// At least 32 random bytes, or what scrypt made of a passphrase.
    package let secret: Secret

    package init(id: String, secret: Secret) {
        self.id = id
        self.secret = secret
    }
}

/// `keys/<id>.json`: a repository key, wrapped once for each recipient.
struct WrappedKey: Codable {
    struct Wrap: Codable {
        /// `master-key`: HKDF-SHA-256 of the master key makes the key-encryption key.
        var kind: String
        /// The id of the master key.
        var recipient: String
        /// Hexadecimal.
        var salt: String
        /// Hexadecimal: nonce, ciphertext and tag of AES-256-GCM.
        var sealed: String
    }

    var format = Layout.formatVersion
    var id: String
    /// Seconds since 1970; the newest key encrypts.
    var createdAt: Int
    var wraps: [Wrap]
}

/// The repository keys that are kept, wrapped, beside the data.
package struct KeyStore {
    private static let info = Array("pgmoneta-key-encryption-1".utf8)
    private let backend: any StorageBackend
    private let cryptography: any Cryptography

    package init(backend: any StorageBackend, cryptography: any Cryptography) {
        self.backend = backend
        self.cryptography = cryptography
    }

    /// Unwraps all keys that the master key fits.
    /// - Throws: `.masterKeyMissing` when `isRequired` and there are keys, but none could be unwrapped.
    package func load(with master: MasterKey?, isRequired: Bool) async throws -> KeyRing {
        var ring = KeyRing()
        var newest = Int.min
        let wrappedKeys = try await all()
        for wrapped in wrappedKeys {
            guard let master, let wrap = wrapped.wraps.first(where: { $0.recipient == master.id }) else { continue }
            let key = try unwrap(wrap, of: wrapped.id, with: master)
            ring.add(id: wrapped.id, key: key, isCurrent: wrapped.createdAt >= newest)
            newest = max(newest, wrapped.createdAt)
        }
        guard !isRequired || ring.currentID != nil || wrappedKeys.isEmpty else {
            let reason = master == nil ? "no master key was found" : "this master key is not one of its recipients"
            throw EngineError(.masterKeyMissing, "\(backend.displayName): \(reason)")
        }
        return ring
    }

    /// Makes a repository key, unless another run is faster, and stores it wrapped.
    /// - Returns: the id and the key; durable on the target.
    package func create(for master: MasterKey, now: Int) async throws -> (id: String, key: Secret) {
        let id = hexadecimal(try cryptography.randomBytes(8))
        let key = Secret(try cryptography.randomBytes(32))
        try await store(id: id, key: key, for: master, now: now)
        return (id, key)
    }

    /// Stores a key that other targets have, wrapped for the master key.
    package func store(id: String, key: Secret, for master: MasterKey, now: Int) async throws {
        let salt = try cryptography.randomBytes(16)
        let sealed = try cryptography.seal(key, key: keyEncryptionKey(master, salt), associated: Array(id.utf8))
        let wrap = WrappedKey.Wrap(
            kind: "master-key", recipient: master.id, salt: hexadecimal(salt), sealed: hexadecimal(sealed))
        let bytes = try CanonicalJSON.encode(WrappedKey(id: id, createdAt: now, wraps: [wrap]))
        // When it is there already it is the same key: ids are random and never used twice.
        _ = try await backend.create(Layout.key(id), bytes: bytes)
    }

    private func all() async throws -> [WrappedKey] {
        var found: [WrappedKey] = []
        try await backend.forEachEntry(ListRequest(prefix: Layout.keysPrefix)) { entry in
            guard case .object(let info) = entry else { return }
            let bytes = try await backend.read(info.key, limit: 1 << 20)
            do {
                found.append(try CanonicalJSON.decode(WrappedKey.self, from: bytes))
            } catch {
                throw EngineError(.objectDamaged, "'\(info.key)' at \(backend.displayName) is not a wrapped key")
            }
        }
        return found
    }

    private func unwrap(_ wrap: WrappedKey.Wrap, of id: String, with master: MasterKey) throws -> Secret {
        guard let salt = bytes(hexadecimal: wrap.salt), let sealed = bytes(hexadecimal: wrap.sealed) else {
            throw EngineError(.objectDamaged, "'keys/\(id).json' at \(backend.displayName) is not a wrapped key")
        }
        do {
            return try cryptography.open(sealed, key: keyEncryptionKey(master, salt), associated: Array(id.utf8))
        } catch {
            throw EngineError(
                .objectDamaged, "'keys/\(id).json' at \(backend.displayName) does not open with its master key")
        }
    }

    private func keyEncryptionKey(_ master: MasterKey, _ salt: [UInt8]) throws -> Secret {
        try cryptography.deriveKey(from: master.secret, salt: salt, info: Self.info, byteCount: 32)
    }
}
