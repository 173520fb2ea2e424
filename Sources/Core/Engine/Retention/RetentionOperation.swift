import BackupAPI
import Logging

/// Applies a retention policy to the backups of one server on one target.
package struct RetentionOperation: Sendable {
    private let catalog: Catalog
    private let policy: RetentionPolicy
    private let taker: LeaseTaker

    package init(catalog: Catalog, policy: RetentionPolicy, taker: LeaseTaker) {
        self.catalog = catalog
        self.policy = policy
        self.taker = taker
    }

    /// Says what would become of the backups. Nothing is changed.
    package func decide() async throws -> [RetentionPlan.Decision] {
        let entries = try await catalog.entries()
        let notes = try await catalog.notes.all(about: Set(entries.map(\.label)))
        let backups = entries.map { RetentionPlan.Backup($0, notes: notes[$0.label]) }
        return RetentionPlan.decide(backups, policy: policy, now: taker.clock())
    }

    /// Deletes what the policy does not keep, children before their parents, and the remains of interrupted runs.
    ///
    /// Whenever it is cut short, no backup is there without what it builds on.
    /// - Returns: what was decided, and where somebody said meanwhile that a backup is to be kept, that.
    /// - Throws: `.busy` while another run adds or deletes backups.
    package func run() async throws -> [RetentionPlan.Decision] {
        let backend = catalog.repository.backend
        let lease = try await taker.takeBackupLease("retention", server: catalog.server, on: backend)
        return try await lease.hold {
            let sweep = OrphanSweep(backend: backend, server: catalog.server)
            _ = try await sweep.removeOrphans(catalog)
            var decisions = try await decide()
            for index in decisions.indices.reversed() where !decisions[index].isKept {
                let backup = decisions[index].backup
                do {
                    try await catalog.requireNotKept(backup.label)
                } catch let error as EngineError where error.reason == .backupKept {
                    Self.spare(index, .kept, in: &decisions)
                    continue
                }
                try await lease.requireHeld()
                try await sweep.remove(backup.label)
                Logger.current.notice(
                    "retention deleted a backup",
                    metadata: [LogKeys.label: "\(backup.label)", LogKeys.target: "\(catalog.repository.name)"])
            }
            return decisions
        }
    }

    /// Keeps a backup after all, and what it builds on, which is looked at after it.
    private static func spare(
        _ index: Int, _ reason: RetentionReason, in decisions: inout [RetentionPlan.Decision]
    ) {
        decisions[index].reasons = decisions[index].isKept ? decisions[index].reasons + [reason] : [reason]
        decisions[index].isKept = true
        let backup = decisions[index].backup
        guard let parent = decisions.firstIndex(where: { $0.backup.label == backup.parent }), parent < index else {
            return
        }
        if !decisions[parent].isKept { spare(parent, .neededBy(backup.label), in: &decisions) }
    }
}

extension RetentionPlan.Backup {
    /// A backup as the catalog finds it. Where its notes cannot be believed it may be one to keep, and is left alone.
    init(_ entry: CatalogEntry, notes: Result<BackupNotes, EngineError>?) {
        self.init(label: entry.label)
        switch entry.record {
        case .success(let record):
            parent = record.parent
            byteCount = record.backupBytes
        case .failure(let error): condition = error.isDamage ? .damaged : .unknown
        }
        switch notes {
        case nil: break
        case .success(let notes): isKept = notes.isKept
        case .failure: hasUnknownNotes = true
        }
    }
}
