import BackupAPI

extension Catalog {
    /// Changes the notes about a backup.
    /// - Parameter now: seconds since 1970.
    /// - Returns: the notes as they are afterwards.
    /// - Throws: `.unknownBackup`, also when the backup was deleted meanwhile; `.commentExists`, `.commentMissing`, `.busy`.
    package func change(_ label: BackupLabel, now: Int, _ edit: NotesEdit) async throws -> BackupNotes {
        try await requireRecord(label)
        let changed = try await notes.change(label, now: now) { try edit.apply(to: &$0) }
        do {
            try await requireRecord(label)
        } catch let error as EngineError {
            try await notes.remove(label)
            throw error
        }
        return changed
    }

    /// - Throws: `.backupKept` for a backup that is; `.notesDamaged` when nobody can tell.
    func requireNotKept(_ label: BackupLabel) async throws {
        guard try await !notes.notes(about: label).isKept else {
            throw EngineError(.backupKept, "\(label) at \(repository.backend.displayName)")
        }
    }

    private func requireRecord(_ label: BackupLabel) async throws {
        guard try await hasRecord(label) else {
            throw EngineError(.unknownBackup, "'\(label)' of '\(server)' at \(repository.backend.displayName)")
        }
    }
}
