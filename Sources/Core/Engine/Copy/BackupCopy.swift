package import BackupAPI
import Logging

/// Copies a backup from one target to another as it is stored: nothing is decoded, every byte is compared with its digest.
///
/// The record comes last, so a copy exists wholly or not at all. A copy that was interrupted goes on when it is made again:
/// objects that are there are read back, and kept when their digests are right. The next backup to the destination removes
/// what an interrupted copy left, as it does with interrupted backups.
package struct BackupCopy: Sendable {
    private let plan: CopyPlan
    private let source: any StorageBackend
    private let destination: any StorageBackend
    private let progress: ProgressCounter

    /// Prepares a copy.
    package init(
        plan: CopyPlan, from source: any StorageBackend, to destination: any StorageBackend,
        progress: ProgressCounter
    ) {
        self.plan = plan
        self.source = source
        self.destination = destination
        self.progress = progress
    }

    /// Copies a backup. When it returns, the backup is complete and durable at the destination.
    ///
    /// - Parameter identifier: `oldest`, `newest`, a label or its beginning, among the source's backups.
    /// - Throws: `.parentMissing`, `.labelTaken`, `.otherCluster`, `.encryptionRequired`, `.busy`; `.objectDamaged` with the
    ///   path of the first object at the source that is not as it was written.
    package func run(_ identifier: String) async throws -> CopyOutcome {
        let repository = try await Repository.openSealed(
            source, masterKey: plan.masterKey, cryptography: plan.cryptography)
        let catalog = Catalog(repository: repository, server: plan.server, cryptography: plan.cryptography)
        let record = try await catalog.find(identifier).record.get()
        let chain = try await chain(endingWith: record.label, in: catalog)
        progress.setTotal(byteCount: chain.reduce(0) { $0 + $1.record.backupBytes })
        try await prepareDestination(for: record)
        let lease = try await plan.taker.takeBackupLease("copy", server: plan.server, on: destination)
        return try await lease.hold {
            var outcome = CopyOutcome(record: record)
            for backup in chain { try await copy(backup, holding: lease, counting: &outcome) }
            return outcome
        }
    }

    /// The backups to copy, parents first: the backup itself, and the parents that the destination lacks.
    private func chain(endingWith label: BackupLabel, in catalog: Catalog) async throws -> [SealedBackup] {
        var first = try await SealedBackup.open(catalog, label, cryptography: plan.cryptography)
        var chain = [first]
        while let parent = first.record.parent {
            guard parent < first.record.label else {
                throw EngineError(.recordDamaged, "\(first.record.label) builds on \(parent), which is not older")
            }
            if try await hasParent(parent, in: catalog) { break }
            guard plan.includesParents else {
                throw EngineError(
                    .parentMissing,
                    "\(first.record.label) builds on \(parent), which is not at \(destination.displayName)")
            }
            first = try await SealedBackup.open(catalog, parent, cryptography: plan.cryptography)
            chain.insert(first, at: 0)
        }
        return chain
    }

    /// Whether the destination has a parent.
    /// - Throws: `.labelTaken` when it has another backup of that label.
    private func hasParent(_ label: BackupLabel, in catalog: Catalog) async throws -> Bool {
        let key = try Layout.object(plan.server, label, Layout.recordName)
        guard let there = try await storedRecord(key, on: destination) else { return false }
        if let here = try await storedRecord(key, on: source), here != there { throw labelTaken(label) }
        return true
    }

    private func prepareDestination(for record: BackupRecord) async throws {
        let repository = try await Repository.openSealedOrCreate(
            destination, isEncrypted: record.keyID != nil, masterKey: plan.masterKey, cryptography: plan.cryptography)
        try await repository.requireCluster(record.systemIdentifier, server: plan.server)
    }

    private func copy(_ backup: SealedBackup, holding lease: Lease, counting outcome: inout CopyOutcome) async throws {
        let label = backup.record.label
        let recordKey = try Layout.object(plan.server, label, Layout.recordName)
        if let there = try await storedRecord(recordKey, on: destination) {
            guard there == backup.recordBytes else { throw labelTaken(label) }
            try await requireComplete(
                backup, remedy: "Delete the backup there with 'pgmoneta-cli delete', then copy it again.")
            try await copyNotes(about: label)
            progress.add(byteCount: backup.record.backupBytes)
            outcome.skippedObjectCount += backup.objects.count
            Logger.current.notice(
                "the backup is there already",
                metadata: [LogKeys.label: "\(label)", LogKeys.target: "\(destination.displayName)"])
            return
        }
        if let id = backup.record.keyID { try await copyKey(id) }
        try await copyObjects(backup, counting: &outcome)
        let listKey = try Layout.object(plan.server, label, Layout.checksumsName)
        try await destination.put(listKey, bytes: backup.listBytes)
        try await requireComplete(
            backup, remedy: "The place does not have what it said was stored. See what is wrong there, and copy again.")
        try await copyNotes(about: label)
        // Without the lease another run may have swept what was copied.
        try await lease.requireHeld()
        guard try await destination.create(recordKey, bytes: backup.recordBytes) else { throw labelTaken(label) }
        outcome.copiedLabels.append(label)
    }

    /// Copies all objects that are not there, as many at once as are useful to both places.
    private func copyObjects(_ backup: SealedBackup, counting outcome: inout CopyOutcome) async throws {
        let copying = ObjectCopy(
            from: source, to: destination, cryptography: plan.cryptography, progress: progress)
        let useful = [source, destination].map(\.capabilities.usefulConcurrency).min() ?? 1
        let server = plan.server
        try await withThrowingTaskGroup(of: (object: StoredObject, isCopied: Bool).self) { group in
            func take(_ result: (object: StoredObject, isCopied: Bool)) {
                outcome.copiedByteCount += result.isCopied ? result.object.bytes : 0
                outcome.copiedObjectCount += result.isCopied ? 1 : 0
                outcome.skippedObjectCount += result.isCopied ? 0 : 1
            }
            for (number, object) in backup.objects.enumerated() {
                if number >= max(1, min(8, useful)), let result = try await group.next() { take(result) }
                let record = backup.record
                group.addTask {
                    let key = try Layout.object(server, record.label, object.path)
                    let identity = record.identity(path: object.path)
                    return (object, try await copying.run(object, key: key, identity: identity))
                }
            }
            for try await result in group { take(result) }
        }
    }

    /// Copies a wrapped key, unless it is there.
    private func copyKey(_ id: String) async throws {
        let store = KeyStore(backend: source, cryptography: plan.cryptography)
        try await store.copy(
            id, to: KeyStore(backend: destination, cryptography: plan.cryptography), isForNewBackups: false)
    }

    /// Copies what is noted about a backup, as it is stored, unless the destination has notes of its own. An encrypted
    /// repository's notes name the key that authenticates them, which comes with them.
    private func copyNotes(about label: BackupLabel) async throws {
        let prefix = Layout.notesPrefix(plan.server, label)
        guard try await destination.notesRevisions(prefix).isEmpty,
            let (key, _, bytes) = try await source.newestNotes(plan.server, label)
        else { return }
        if let id = AuthenticatedFile<BackupNotes>.keyID(bytes) { try await copyKey(id) }
        _ = try await destination.create(key, bytes: bytes)
    }

    /// Checks that all objects of a backup are at the destination, by their sizes.
    private func requireComplete(_ backup: SealedBackup, remedy: String) async throws {
        let list = [StoredObject(path: Layout.checksumsName, bytes: backup.listBytes.count, sha512: "")]
        try await destination.requireStored(
            backup.objects + list, of: backup.record.label, server: plan.server, remedy: remedy)
    }

    private func storedRecord(_ key: ObjectKey, on backend: any StorageBackend) async throws -> [UInt8]? {
        try await backend.readIfPresent(key, limit: 64 << 20)
    }

    private func labelTaken(_ label: BackupLabel) -> EngineError {
        EngineError(.labelTaken, "\(label) of '\(plan.server)' at \(destination.displayName)")
    }
}
