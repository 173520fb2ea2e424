import BackupAPI

/// One change of recipients, made on the keys as they were found under the lease.
struct KeyRound: Sendable {
    /// A key that a secret at hand opens.
    private typealias Opened = (stored: StoredKey, key: RepositoryKey)

    private let store: KeyStore
    private let stored: [StoredKey]
    private let lease: Lease
    private let now: Int
    /// Oldest first.
    private let opened: [Opened]
    /// The recipients whose secrets are at hand, by id.
    private let present: [String: Recipient]

    /// - Throws: `.notRecipient` when no secret opens a key.
    init(_ store: KeyStore, _ stored: [StoredKey], _ secrets: [MasterKey], _ lease: Lease, now: Int) throws {
        var opener = KeyOpener(secrets, cryptography: store.cryptography)
        var opened: [Opened] = []
        var present: [String: Recipient] = [:]
        for key in stored {
            if let own = try opener.open(key) { opened.append((key, own)) }
            for wrap in key.wrapped.wraps {
                if let holder = try opener.holder(of: wrap) { present[wrap.recipient] = Recipient(holder, of: wrap) }
            }
        }
        guard !stored.isEmpty else {
            throw EngineError(
                .unsupported, "there are no keys at \(store.backend.displayName) yet", remedy: "Take a backup first.")
        }
        guard !opened.isEmpty else {
            throw secrets.first.map { store.notRecipient($0, stored) }
                ?? EngineError(.masterKeyMissing, "\(store.backend.displayName): no master key was found")
        }
        (self.store, self.stored, self.lease, self.now) = (store, stored, lease, now)
        (self.opened, self.present) = (opened, present)
    }

    /// Older revisions of keys whose newest one is proven.
    var superseded: [ObjectKey] { opened.flatMap(\.stored.superseded) }

    /// Wraps all keys that can be opened for one more recipient, the newest first.
    func add(_ recipient: Recipient) async throws {
        var recipient = recipient
        // A passphrase that is one already keeps its salt.
        var finder = KeyOpener([recipient.origin], cryptography: store.cryptography)
        for wrap in stored.flatMap(\.wrapped.wraps) {
            if let holder = try finder.holder(of: wrap) { recipient = Recipient(holder, of: wrap) }
        }
        let lacking = opened.filter { !$0.stored.isWrapped(for: recipient.id) }
        guard !lacking.isEmpty else {
            throw EngineError(.recipientExists, "\(recipient.id) at \(store.backend.displayName)")
        }
        for (stored, key) in lacking.reversed() {
            let wrap = try recipient.wrap(key, store.cryptography)
            try await revise(stored, key) { $0.append(wrap) }
        }
    }

    /// Takes a recipient out of all keys, after those who stay have a new one.
    func remove(_ recipient: String, newKey: RepositoryKey?, leavingOut others: [String]) async throws {
        let id = try self.id(of: recipient)
        let doomed = stored.filter { $0.isWrapped(for: id) }
        for key in doomed {
            guard key.wrapped.wraps.contains(where: { $0.recipient != id }) else {
                throw EngineError(.lastRecipient, "\(id) is the only recipient of '\(key.key)'")
            }
            guard opened.contains(where: { $0.stored.id == key.id }) else {
                throw EngineError(
                    .recipientAbsent, "no secret at hand opens '\(key.key)'",
                    remedy: "Bring the secret of one of its recipients: \([key].recipientsText).")
            }
        }
        if let newKey {
            let leftOut = try [id] + others.map { try self.id(of: $0) }
            if let current, leftOut.contains(where: { current.isWrapped(for: $0) }) {
                try await renew(to: newKey, without: leftOut)
            } else {
                try await retire(butFor: current?.id)
            }
        }
        for (stored, key) in opened.reversed() where stored.isWrapped(for: id) {
            try await revise(stored, key) { $0.removeAll { $0.recipient == id } }
        }
    }

    /// Makes a new key for all who open the current one.
    func rotate(to newKey: RepositoryKey, leavingOut others: [String]) async throws {
        try await renew(to: newKey, without: others.map { try id(of: $0) })
    }

    /// The key that encrypts what is new.
    private var current: StoredKey? { opened.last { !$0.stored.isRetired }?.stored }

    private func renew(to key: RepositoryKey, without leftOut: [String]) async throws {
        // Where copied backups brought nothing but retired keys, the recipients are those of the newest one.
        let old = stored.allSatisfy(\.isRetired) ? opened.last?.stored : current
        guard let current = old else {
            throw EngineError(
                .notRecipient, "the secrets at hand open older keys at \(store.backend.displayName) only",
                remedy: "Use the secret of a recipient of the current key; 'pgmoneta-admin key list' shows them.")
        }
        let staying = current.wrapped.wraps.filter { !leftOut.contains($0.recipient) }
        guard !staying.isEmpty else {
            throw EngineError(.lastRecipient, "the new key at \(store.backend.displayName) would have no recipient")
        }
        let absent = staying.filter { present[$0.recipient] == nil }
        guard absent.isEmpty else {
            let names = absent.map { $0.recipient + ($0.name.map { " '\($0)'" } ?? "") }
            throw EngineError(.recipientAbsent, names.joined(separator: ", "))
        }
        try await lease.requireHeld()
        // It must be the newest also where clocks differ.
        let createdAt = max(now, (stored.last?.wrapped.createdAt ?? 0) + 1)
        try await store.store(key, for: staying.compactMap { present[$0.recipient] }, now: createdAt)
        try await retire(butFor: key.id)
    }

    private func retire(butFor id: String?) async throws {
        for (stored, _) in opened where !stored.isRetired && stored.id != id { try await store.retire(stored.id) }
    }

    /// Writes the next revision of a key object and removes those before it.
    private func revise(
        _ stored: StoredKey, _ key: RepositoryKey, _ edit: (inout [WrappedKey.Wrap]) -> Void
    ) async throws {
        var wrapped = stored.wrapped
        edit(&wrapped.wraps)
        wrapped.revision = stored.revision + 1
        let name = try Layout.key(key.id, revision: stored.revision + 1)
        let bytes = try wrapped.sealed(as: name, with: key, store.cryptography)
        try await lease.requireHeld()
        guard try await store.backend.create(name, bytes: bytes) else {
            throw EngineError(.busy, "another run changes the recipients at \(store.backend.displayName)")
        }
        try await store.remove([stored.key])
    }

    /// The id of the recipient that an operator names by id or name.
    private func id(of text: String) throws(EngineError) -> String {
        let wraps = stored.flatMap(\.wrapped.wraps).filter { $0.recipient == text || $0.name == text }
        let ids = Set(wraps.map(\.recipient))
        guard let id = ids.contains(text) ? text : ids.first, ids.count == 1 || ids.contains(text) else {
            throw EngineError(
                .recipientUnknown, "'\(text)' at \(store.backend.displayName); there are: \(stored.recipientsText)")
        }
        return id
    }
}
