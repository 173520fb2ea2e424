import BackupAPI
import Logging

/// What retention decided about one target.
package struct RetentionOutcome: Sendable, Hashable {
    /// About each backup, oldest first.
    package var decisions: [RetentionPlan.Decision]
    /// What of the WAL archive goes with them.
    package var wal: ExpiredWAL
    /// Why the WAL could not be removed; nil when all is as it says.
    package var walFault: String?
}

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

    /// Says what would become of the backups and of the WAL archive. Nothing is changed.
    /// - Throws: `.masterKeyMissing` when records are authenticated and the key is not here.
    package func decide() async throws -> RetentionOutcome {
        let decisions = try await decisions()
        return RetentionOutcome(decisions: decisions, wal: try await walSweep.count(WALExpiry(decisions)))
    }

    private var walSweep: WALSweep { WALSweep(backend: catalog.repository.backend, server: catalog.server) }

    /// The newest backup that is valid by its record is looked at more closely, with all that it builds on: its lists must be those
    /// that were written, and all objects there with their sizes. Otherwise it does not count, and an older one is kept as the last.
    /// - Throws: `.masterKeyMissing` when records are authenticated and the key is not here.
    private func decisions() async throws -> [RetentionPlan.Decision] {
        let repository = catalog.repository
        guard !repository.description.isEncrypted || !repository.keys.isEmpty else {
            throw EngineError(
                .masterKeyMissing, "no record at \(repository.backend.displayName) can be believed without it")
        }
        let entries = try await catalog.entries()
        let notes = try await catalog.notes.all(about: Set(entries.map(\.label)))
        var backups = entries.map { RetentionPlan.Backup($0, notes: notes[$0.label]) }
        var records: [BackupLabel: BackupRecord] = [:]
        for (index, entry) in entries.enumerated() {
            guard case .success(let record) = entry.record else { continue }
            records[entry.label] = record
            if !record.fits(to: records) { backups[index].condition = .damaged }
        }
        while let damaged = try await firstDamaged(of: RetentionPlan.newestWhole(of: backups)),
            let index = backups.firstIndex(where: { $0.label == damaged })
        {
            backups[index].condition = .damaged
        }
        return RetentionPlan.decide(backups, policy: policy, now: taker.clock())
    }

    private func firstDamaged(of chain: [RetentionPlan.Backup]) async throws -> BackupLabel? {
        for backup in chain {
            do {
                _ = try await SealedBackup.open(catalog, backup.label, cryptography: catalog.cryptography)
            } catch let error as EngineError where error.isDamage {
                Logger.current.warning(
                    "a backup is not as it was written",
                    metadata: [LogKeys.label: "\(backup.label)", LogKeys.error: "\(error.summary)"])
                return backup.label
            }
        }
        return nil
    }

    /// Deletes what the policy does not keep, children before their parents, the remains of interrupted runs, and the WAL that
    /// no backup needs any more.
    ///
    /// Whenever it is cut short, no backup is there without what it builds on.
    /// - Returns: what was decided, and where somebody said meanwhile that a backup is to be kept, that.
    /// - Throws: `.busy` while another run adds or deletes backups.
    package func run() async throws -> RetentionOutcome {
        let backend = catalog.repository.backend
        let lease = try await taker.takeBackupLease("retention", server: catalog.server, on: backend)
        return try await lease.hold {
            let sweep = OrphanSweep(backend: backend, server: catalog.server)
            _ = try await sweep.removeOrphans(catalog)
            var decisions = try await decisions()
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
            let expiry = WALExpiry(decisions)
            let expired: ExpiredWAL
            do {
                expired = try await walSweep.delete(expiry) { try await lease.requireHeld() }
            } catch let error as StorageError where error.reason != .cancelled {
                // The backups are gone all the same, and that is to be told.
                return RetentionOutcome(decisions: decisions, wal: ExpiredWAL(expiry), walFault: error.summary)
            }
            if expired.fileCount > 0 {
                Logger.current.notice(
                    "retention deleted WAL",
                    metadata: [
                        LogKeys.count: "\(expired.fileCount)", LogKeys.target: "\(catalog.repository.name)",
                    ])
            }
            return RetentionOutcome(decisions: decisions, wal: expired)
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

extension BackupRecord {
    /// Whether the parent that is there is the one that this backup was built on; true where there is none to compare.
    fileprivate func fits(to older: [BackupLabel: BackupRecord]) -> Bool {
        do {
            guard let label = try requiredParent(), let parent = older[label] else { return true }
            try requireBuilt(on: parent)
            return true
        } catch {
            return false
        }
    }
}

extension WALExpiry {
    /// By what was decided about all backups of a target.
    init(_ decisions: [RetentionPlan.Decision]) {
        self.init(
            remaining: decisions.filter(\.isKept).map { Backup(label: $0.backup.label, first: $0.backup.firstWAL) })
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
            firstWAL = WALFileName(record.wal)
        case .failure(let error): condition = error.isDamage ? .damaged : .unknown
        }
        switch notes {
        case nil: break
        case .success(let notes): isKept = notes.isKept
        case .failure: hasUnknownNotes = true
        }
    }
}
