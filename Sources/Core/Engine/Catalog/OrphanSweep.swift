package import BackupAPI
import Logging

/// Removes what interrupted runs left: folders of backups without a record, and unfinished writes.
package struct OrphanSweep: Sendable {
    private static let batch = 500
    private let backend: any StorageBackend
    private let server: String

    package init(backend: any StorageBackend, server: String) {
        self.backend = backend
        self.server = server
    }

    /// Removes all orphans, and unfinished writes of this server, in the repository's root and beside its keys. Call it only while
    /// holding the server's backup lease: then no run is at work that could own one.
    /// - Returns: the newest label that was there, of a backup or of remains.
    package func removeOrphans(_ catalog: Catalog) async throws -> BackupLabel? {
        var kept: [BackupLabel] = []
        let labels = try await catalog.labels()
        for label in labels {
            if try await mayHaveRecord(label, catalog) {
                kept.append(label)
            } else {
                try await remove(label)
                Logger.current.notice(
                    "removed the remains of an interrupted backup", metadata: [LogKeys.label: "\(label)"])
            }
        }
        let noted = try await backend.notesRevisions(Layout.notesPrefix(server)).keys
        for label in noted where !kept.contains(label) { try await backend.deleteNotes(server, label) }
        // The root's own level is what has a key beginning with that of `repository.json`.
        var unfinished = 0
        for prefix in ["\(server)/", Layout.keysPrefix, try Layout.repository().string] {
            unfinished += try await backend.sweepUnfinished(prefix: prefix)
        }
        if unfinished > 0 {
            Logger.current.notice(
                "removed what writes of an interrupted run left", metadata: [LogKeys.count: "\(unfinished)"])
        }
        return labels.last
    }

    /// Whether a label's folder is to be left alone: it has a record, or nobody can tell.
    private func mayHaveRecord(_ label: BackupLabel, _ catalog: Catalog) async throws -> Bool {
        do {
            return try await catalog.hasRecord(label)
        } catch let error as StorageError where error.concernsOneObject {
            Logger.current.warning(
                "a backup cannot be looked at, and is left alone",
                metadata: [LogKeys.label: "\(label)", LogKeys.error: "\(error.summary)"])
            return true
        }
    }

    /// Removes all objects of a backup, its record first, so that it is never half there, and what was noted about it.
    package func remove(_ label: BackupLabel) async throws {
        try await delete([Layout.object(server, label, Layout.recordName)])
        var keys: [ObjectKey] = []
        try await backend.forEachEntry(ListRequest(prefix: Layout.backupPrefix(server, label))) { entry in
            if case .object(let info) = entry { keys.append(info.key) }
        }
        for start in stride(from: 0, to: keys.count, by: Self.batch) {
            try await delete(Array(keys[start..<min(keys.count, start + Self.batch)]))
        }
        _ = try await backend.sweepUnfinished(prefix: Layout.backupPrefix(server, label))
        try await backend.deleteNotes(server, label)
    }

    private func delete(_ keys: [ObjectKey]) async throws {
        if let failure = try await backend.delete(keys).values.first { throw failure }
    }
}
