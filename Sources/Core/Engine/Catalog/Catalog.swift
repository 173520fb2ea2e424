package import BackupAPI

/// One backup as a listing finds it.
package struct CatalogEntry: Sendable {
    package let label: BackupLabel
    /// The record, or why it cannot be believed.
    package let record: Result<BackupRecord, EngineError>

    /// Whether a restore may use it.
    package var isValid: Bool { if case .success = record { true } else { false } }
}

/// The backups of one server on one target. It reads the target each time; there is no other list that could differ.
package struct Catalog: Sendable {
    package let repository: Repository
    package let server: String
    /// What was noted about the backups.
    package let notes: NotesStore
    let cryptography: any Cryptography
    private let file: RecordFile

    package init(repository: Repository, server: String, cryptography: any Cryptography) {
        self.repository = repository
        self.server = server
        self.cryptography = cryptography
        notes = NotesStore(repository: repository, server: server, cryptography: cryptography)
        file = RecordFile(
            keys: repository.keys, cryptography: cryptography, isEncrypted: repository.description.isEncrypted)
    }

    private var backend: any StorageBackend { repository.backend }

    /// The labels that have a folder, oldest first: backups, and remains of runs that did not end.
    package func labels() async throws -> [BackupLabel] {
        let prefix = Layout.backupsPrefix(server)
        var labels: [BackupLabel] = []
        try await backend.forEachEntry(ListRequest(prefix: prefix, isShallow: true)) { entry in
            guard case .folder(let path) = entry else { return }
            if let label = BackupLabel(String(path.dropFirst(prefix.count).dropLast())) { labels.append(label) }
        }
        return labels
    }

    /// All backups, oldest first. What has no record is no backup and is left out.
    package func entries() async throws -> [CatalogEntry] { try await entries(labels()) }

    /// The backups among these labels, in the same order.
    package func entries(_ labels: [BackupLabel]) async throws -> [CatalogEntry] {
        try await labels.map(atOnce: backend.smallReadsAtOnce) { try await entry($0) }.compactMap { $0 }
    }

    /// The backup with that label; nil when there is no record. One that cannot be read while the place answers is not valid.
    package func entry(_ label: BackupLabel) async throws -> CatalogEntry? {
        do {
            guard let record = try await record(label, requiresKey: false) else { return nil }
            return CatalogEntry(label: label, record: .success(record))
        } catch let error as EngineError {
            return CatalogEntry(label: label, record: .failure(error))
        } catch let fault as StorageError where fault.concernsOneObject {
            let reason: EngineError.Reason = fault.reason == .corrupt ? .recordDamaged : .recordUnreadable
            let error = EngineError(reason, fault.summary, remedy: fault.remedy)
            return CatalogEntry(label: label, record: .failure(error))
        }
    }

    /// Reads and checks one record; nil when there is none.
    package func record(_ label: BackupLabel, requiresKey: Bool) async throws -> BackupRecord? {
        guard let bytes = try await recordBytes(label) else { return nil }
        return try record(from: bytes, label, requiresKey: requiresKey)
    }

    /// The bytes of a record as they are stored; nil when there is none.
    func recordBytes(_ label: BackupLabel) async throws -> [UInt8]? {
        try await backend.readIfPresent(Layout.object(server, label, Layout.recordName), limit: 64 << 20)
    }

    /// Checks the bytes of a record.
    func record(from bytes: [UInt8], _ label: BackupLabel, requiresKey: Bool) throws -> BackupRecord {
        let key = try Layout.object(server, label, Layout.recordName)
        let record = try file.decode(bytes, name: key.string, requiresKey: requiresKey)
        guard record.server == server, record.label == label else {
            throw EngineError(.recordDamaged, "'\(key)' belongs to '\(record.server)' \(record.label)")
        }
        return record
    }

    /// Whether there is a record of that label, whatever it says.
    package func hasRecord(_ label: BackupLabel) async throws -> Bool {
        do {
            _ = try await backend.stat(Layout.object(server, label, Layout.recordName))
            return true
        } catch {
            guard error.reason == .notFound else { throw error }
            return false
        }
    }

    /// Finds the backup that an identifier means: `oldest`, `newest`, `latest`, a label, or a unique beginning of one.
    package func find(_ identifier: String) async throws -> CatalogEntry {
        if let label = BackupLabel(identifier) {
            guard let found = try await entry(label) else { throw unknown(identifier) }
            return found
        }
        let entries = try await entries()
        switch identifier {
        case "oldest", "newest", "latest":
            let valid = entries.filter(\.isValid)
            guard let chosen = identifier == "oldest" ? valid.first : valid.last else {
                throw EngineError(.noBackup, "'\(server)' at \(backend.displayName) has none")
            }
            return chosen
        default:
            let fitting = entries.filter { $0.label.string.hasPrefix(identifier) }
            guard let only = fitting.first, !identifier.isEmpty else { throw unknown(identifier) }
            guard fitting.count == 1 else {
                throw EngineError(
                    .ambiguousBackup, "'\(identifier)': \(fitting.map(\.label.string).joined(separator: ", "))")
            }
            return only
        }
    }

    private func unknown(_ identifier: String) -> EngineError {
        EngineError(.unknownBackup, "'\(identifier)' of '\(server)' at \(backend.displayName)")
    }
}

extension StorageBackend {
    /// How many small objects are read at once.
    var smallReadsAtOnce: Int { min(16, capabilities.usefulConcurrency) }
}

extension StorageError {
    /// Whether the place answers, and it is this object alone that cannot be had.
    var concernsOneObject: Bool {
        switch reason {
        case .permissionDenied, .corrupt, .failed, .invalidKey, .unsupported: true
        default: false
        }
    }
}
