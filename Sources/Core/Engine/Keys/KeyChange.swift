import BackupAPI

/// Changes who opens a repository. Only the small objects below `keys/` are read and written, never a backup.
///
/// Each object is written as a whole and only if absent, under a lease, in an order in which every state between two steps opens for
/// all who are to stay. A change that was cut short is completed by making it again.
package struct KeyChange: Sendable {
    /// What is done.
    package enum Action: Sendable {
        /// Somebody else shall open everything that the secrets at hand open.
        case add(Recipient)
        /// Somebody shall open nothing any more. It may have learned the keys that it opened, so a new one follows for all others:
        /// nil where the operator says that it has not, because its secret is lost and not disclosed.
        case remove(String, RepositoryKey?, leavingOut: [String])
        /// What is new shall be encrypted with a new key.
        case rotate(RepositoryKey, leavingOut: [String])
    }

    let store: KeyStore
    let secrets: [MasterKey]
    private let taker: LeaseTaker

    /// Prepares changes at one place.
    /// - Parameter secrets: of recipients who are at hand, one at least.
    package init(_ store: KeyStore, secrets: [MasterKey], taker: LeaseTaker) {
        self.store = store
        self.secrets = secrets
        self.taker = taker
    }

    /// Makes a change; it is durable at the place when this returns.
    /// - Parameter purpose: what for, for people who meet the lease, such as `key add`.
    /// - Throws: `.notRecipient` when no secret at hand opens a key, `.recipientExists`, `.recipientUnknown`, `.recipientAbsent`,
    ///   `.lastRecipient`, `.keyDamaged`, `.plainRepository`, `.busy`, with nothing changed.
    package func run(_ action: Action, purpose: String) async throws -> KeyReport {
        try await Self.requireEncrypted(store.backend)
        let lease = try await taker.takeKeyLease(purpose, on: store.backend)
        return try await lease.hold {
            let stored = try await store.stored()
            let round = try KeyRound(store, stored, secrets, lease, now: taker.clock())
            // Of a change that was cut short: they may be wrapped for somebody who was taken out.
            try await store.remove(round.superseded)
            switch action {
            case .add(let recipient): try await round.add(recipient)
            case .remove(let recipient, let key, let others):
                try await round.remove(recipient, newKey: key, leavingOut: others)
            case .rotate(let key, let others): try await round.rotate(to: key, leavingOut: others)
            }
            // Without it another run may have changed the same objects, and what this one wrote would not count.
            try await lease.requireHeld()
            return KeyReport(try await store.stored())
        }
    }

    /// Tells who opens the repository.
    package static func report(_ store: KeyStore) async throws -> KeyReport {
        try await requireEncrypted(store.backend)
        return KeyReport(try await store.stored())
    }

    private static func requireEncrypted(_ backend: any StorageBackend) async throws {
        guard let description = try await Repository.description(of: backend) else {
            throw EngineError(.noBackup, "\(backend.displayName) is no repository")
        }
        guard description.isEncrypted else {
            throw EngineError(
                .plainRepository, "\(backend.displayName) has no keys",
                remedy: "Name the targets with encrypted backups with --target.")
        }
    }
}
