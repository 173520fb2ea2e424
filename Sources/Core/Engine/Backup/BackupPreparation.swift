import BackupAPI
import PostgresClient

/// Targets that are ready for a backup: opened, keyed, leased and swept.
struct PreparedTargets: Sendable {
    let targets: [UploadTarget]
    let keys: KeyRing
    let label: BackupLabel
    /// What an incremental backup builds on; nil for a full one.
    let parent: ChosenParent?
    /// Those that have no other backup of this label: what is there under it, this run wrote.
    fileprivate let swept: [UploadTarget]
    fileprivate let leases: [(target: UploadTarget, lease: Lease)]
    fileprivate let server: String

    /// Runs `body` while all leases are renewed; gives them back afterwards. A lease that is lost is its target's failure.
    func holdingLeases<Result: Sendable>(
        _ body: @escaping @Sendable (BackupLabel) async throws -> Result
    ) async throws -> Result {
        try await hold(leases[...]) { [label] in try await body(label) }
    }

    /// Looks whether this run still has its leases; where it has not, another run may have swept what this one wrote.
    /// - Throws: when no target is left.
    func requireLeases() async throws {
        for (target, lease) in leases { _ = try await target.attempt { try await lease.requireHeld() } }
        try targets.requireOneComplete()
    }

    /// Deletes what an unsuccessful backup wrote. It does not throw: what stays is invisible, and the next backup sweeps it.
    /// It runs even when this task was cancelled.
    func removeRemains(of label: BackupLabel, from targets: [UploadTarget]) async {
        let server = server
        // Where the lease was taken over another run may be writing the folder of that label, and where the labels could not be
        // listed it may be an older backup's.
        let own = swept.filter { target in targets.contains { $0 === target } && !target.isTakenOver }
        await Task {
            for target in own { try? await OrphanSweep(backend: target.backend, server: server).remove(label) }
        }.value
    }

    private func hold<Result: Sendable>(
        _ leases: ArraySlice<(target: UploadTarget, lease: Lease)>,
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        guard let (target, lease) = leases.first else { return try await body() }
        let rest = leases.dropFirst()
        let whenLost: @Sendable (any Error) throws -> Void = { [targets] error in
            target.fail(error)
            try targets.requireOneComplete()
        }
        return try await lease.hold(whenLost: whenLost) { try await hold(rest, body) }
    }
}

extension UploadTarget {
    /// Whether another run took over what this one began there, or had the label already.
    fileprivate var isTakenOver: Bool {
        (failure as? StorageError)?.reason == .alreadyExists || (failure as? EngineError)?.reason == .busy
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
        var leases: [(target: UploadTarget, lease: Lease)] = []
        do {
            for target in targets {
                guard let repository = try await target.attempt({ try await open(target) }) else { continue }
                guard let lease = try await target.attempt({ try await lease(target) }) else { continue }
                leases.append((target, lease))
                opened.append((target, repository))
            }
            try targets.requireOneComplete()
            let keys = try await keys(opened)
            var label = BackupLabel(secondsSince1970: plan.now())
            var catalogs: [(target: UploadTarget, catalog: Catalog)] = []
            for (target, repository) in opened {
                let catalog = Catalog(repository: repository, server: plan.server, cryptography: plan.cryptography)
                let sweep = OrphanSweep(backend: target.backend, server: plan.server)
                guard let found = try await target.attempt({ try await sweep.removeOrphans(catalog) }) else { continue }
                catalogs.append((target, catalog))
                // A label is never used twice, not that of remains either: what their run sent may still come. And they ascend even
                // when the clock was set back.
                if let newest = found, label <= newest {
                    label = BackupLabel(secondsSince1970: newest.secondsSince1970 + 1)
                }
            }
            try targets.requireOneComplete()
            var parent: ChosenParent?
            if let request = plan.parent {
                parent = try await ChosenParent.choose(request, on: catalogs, plan: plan)
                try targets.requireOneComplete()
            }
            return PreparedTargets(
                targets: targets, keys: keys, label: label, parent: parent, swept: catalogs.map(\.target),
                leases: leases, server: plan.server)
        } catch {
            for (_, lease) in leases { await lease.release() }
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
        return try await EncryptionKeys(masterKey: masterKey, cryptography: plan.cryptography, now: plan.now).prepare(
            opened)
    }
}
