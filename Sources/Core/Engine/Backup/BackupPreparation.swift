import BackupAPI
import PostgresClient

/// Targets that are ready for a backup: opened, keyed, leased and swept.
struct PreparedTargets: Sendable {
    let targets: [UploadTarget]
    let keys: KeyRing
    let label: BackupLabel
    /// What an incremental backup builds on; nil for a full one.
    let parent: ChosenParent?
    fileprivate let leases: [Lease]
    fileprivate let server: String

    /// Runs `body` while all leases are renewed; gives them back afterwards.
    func holdingLeases<Result: Sendable>(
        _ body: @escaping @Sendable (BackupLabel) async throws -> Result
    ) async throws -> Result {
        try await PreparedTargets.hold(leases[...]) { [label] in try await body(label) }
    }

    /// Looks whether this run still has its leases; without them another run may have swept what this one wrote.
    /// - Throws: `.busy` when one was lost. A target that does not answer is left to the commit, which fails there.
    func requireLeases() async throws {
        for lease in leases {
            do {
                try await lease.requireHeld()
            } catch let error as StorageError where error.reason != .cancelled {
                continue
            }
        }
    }

    /// Deletes what an unsuccessful backup wrote. It does not throw: what stays is invisible, and the next backup sweeps it.
    /// It runs even when this task was cancelled.
    func removeRemains(of label: BackupLabel, from targets: [UploadTarget]) async {
        let server = server
        await Task {
            // Where the record was there already, the label is another run's, and not ours to remove.
            for target in targets where (target.failure as? StorageError)?.reason != .alreadyExists {
                try? await OrphanSweep(backend: target.backend, server: server).remove(label)
            }
        }.value
    }

    private static func hold<Result: Sendable>(
        _ leases: ArraySlice<Lease>, _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        guard let first = leases.first else { return try await body() }
        let rest = leases.dropFirst()
        return try await first.hold { try await hold(rest, body) }
    }
}

/// Makes targets ready for a backup.
struct BackupPreparation: Sendable {
    let plan: BackupPlan
    let masterKey: MasterKey?
    let systemIdentifier: String

    init(plan: BackupPlan, source: BackupSource) {
        self.plan = plan
        masterKey = plan.masterKey
        systemIdentifier = source.identity.systemIdentifier.description
    }

    func run(_ targets: [UploadTarget]) async throws -> PreparedTargets {
        var opened: [(target: UploadTarget, repository: Repository)] = []
        var leases: [Lease] = []
        do {
            for target in targets {
                do {
                    let repository = try await open(target)
                    leases.append(try await lease(target))
                    opened.append((target, repository))
                } catch let error as StorageError where error.reason != .cancelled {
                    target.fail(error)
                }
            }
            try targets.requireOneComplete()
            let keys = try await keys(opened)
            var label = BackupLabel(secondsSince1970: plan.now())
            var catalogs: [(target: UploadTarget, catalog: Catalog)] = []
            for (target, repository) in opened {
                let catalog = Catalog(repository: repository, server: plan.server, cryptography: plan.cryptography)
                let sweep = OrphanSweep(backend: target.backend, server: plan.server)
                let labels = try await sweep.removeOrphans(catalog)
                catalogs.append((target, catalog))
                // A label is never used twice, and they ascend even when the clock was set back.
                if let newest = labels.last, label <= newest {
                    label = BackupLabel(secondsSince1970: newest.secondsSince1970 + 1)
                }
            }
            var parent: ChosenParent?
            if let request = plan.parent {
                parent = try await ChosenParent.choose(request, on: catalogs, plan: plan)
                try targets.requireOneComplete()
            }
            return PreparedTargets(
                targets: targets, keys: keys, label: label, parent: parent, leases: leases, server: plan.server)
        } catch {
            for lease in leases { await lease.release() }
            throw error
        }
    }

    private func open(_ target: UploadTarget) async throws -> Repository {
        let repository = try await Repository.openOrCreate(
            name: target.name, backend: target.backend, isEncrypted: plan.encryption != nil, masterKey: masterKey,
            cryptography: plan.cryptography)
        try await repository.requireCluster(systemIdentifier, server: plan.server)
        return repository
    }

    private func lease(_ target: UploadTarget) async throws -> Lease {
        try await plan.taker.takeBackupLease("backup", server: plan.server, on: target.backend)
    }

    /// The key that encrypts this backup, present on every target.
    private func keys(_ opened: [(target: UploadTarget, repository: Repository)]) async throws -> KeyRing {
        guard plan.encryption != nil else { return KeyRing() }
        guard let masterKey else {
            throw EngineError(
                .masterKeyMissing, "'encryption' is set", remedy: "Make a master key with 'pgmoneta-admin master-key'.")
        }
        var ring = KeyRing()
        var missing: [UploadTarget] = []
        for (_, repository) in opened {
            if ring.currentID == nil, let id = repository.keys.currentID, let key = repository.keys.key(id) {
                ring.add(id: id, key: key, isCurrent: true)
            }
        }
        if ring.currentID == nil, let first = opened.first?.target {
            let store = KeyStore(backend: first.backend, cryptography: plan.cryptography)
            let (id, key) = try await store.create(for: masterKey, now: plan.now())
            ring.add(id: id, key: key, isCurrent: true)
        }
        guard let id = ring.currentID, let key = ring.key(id) else { return ring }
        for (target, repository) in opened where repository.keys.key(id) == nil { missing.append(target) }
        for target in missing {
            let store = KeyStore(backend: target.backend, cryptography: plan.cryptography)
            try await store.store(id: id, key: key, for: masterKey, now: plan.now())
        }
        return ring
    }
}
