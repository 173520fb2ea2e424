package import BackupAPI

/// The notes about the backups of one server on one target.
///
/// Each change is a new revision, an object that is created only if absent, so that of two machines which change the same
/// revision one has to look again. The newest revision rules; older ones are swept by whoever makes a new one
/// an hour later.
package struct NotesStore: Sendable {
    /// How often something is tried while others are faster.
    fileprivate static let attempts = 100
    /// Revisions are swept when they were superseded so long ago that nobody works with them any more.
    private static let sweepAgeInSeconds = 3600
    private let backend: any StorageBackend
    private let server: String
    private let file: AuthenticatedFile<BackupNotes>
    private let cryptography: any Cryptography

    package init(repository: Repository, server: String, cryptography: any Cryptography) {
        backend = repository.backend
        self.server = server
        self.cryptography = cryptography
        file = AuthenticatedFile(
            keys: repository.keys, cryptography: cryptography, isEncrypted: repository.description.isEncrypted)
    }

    /// The notes about some backups; those about which nothing was noted are left out. Notes that cannot be believed are the
    /// error that says so.
    package func all(about labels: Set<BackupLabel>) async throws -> [BackupLabel: Result<BackupNotes, EngineError>] {
        let noted = try await backend.notesRevisions(Layout.notesPrefix(server)).keys.filter(labels.contains)
        let found = try await Array(noted).map(atOnce: backend.smallReadsAtOnce) { label in
            (label, try await believed(label))
        }
        return Dictionary(uniqueKeysWithValues: found).compactMapValues { $0 }
    }

    /// The newest revision of the notes about a backup, or why it cannot be believed; nil when there is none.
    private func believed(_ label: BackupLabel) async throws -> Result<BackupNotes, EngineError>? {
        do {
            return try await newest(label, requiresKey: false).map { .success($0) }
        } catch let error as EngineError {
            return .failure(error)
        } catch let fault as StorageError where fault.concernsOneObject {
            return .failure(EngineError(.notesDamaged, fault.summary, remedy: fault.remedy))
        }
    }

    /// The notes about a backup; ones that say nothing where there are none.
    /// - Throws: `.notesDamaged` and others when there are some and they cannot be believed.
    package func notes(about label: BackupLabel) async throws -> BackupNotes {
        try await newest(label, requiresKey: true) ?? BackupNotes(server: server, label: label)
    }

    /// Changes the notes about a backup. What others change meanwhile is kept: `edit` is called again on what they left.
    ///
    /// - Parameter now: seconds since 1970.
    /// - Returns: the notes as they are afterwards, durable on the target. When `edit` changes nothing, nothing is written.
    /// - Throws: what `edit` throws; `.busy` when others were always faster.
    package func change(
        _ label: BackupLabel, now: Int, _ edit: (inout BackupNotes) throws -> Void
    ) async throws -> BackupNotes {
        for _ in 0..<Self.attempts {
            let before = try await notes(about: label)
            var after = before
            try edit(&after)
            guard !after.says(sameAs: before) else { return before }
            after.revision = before.revision + 1
            after.changedAt = now
            after.ancestors = Array((before.ancestors + [before.id]).suffix(BackupNotes.ancestorLimit))
            after.id = hexadecimal(try cryptography.randomBytes(8))
            let key = try Layout.notes(server, label, revision: after.revision)
            let bytes = try file.encode(after, name: key.string)
            guard bytes.count <= BackupNotes.byteLimit else {
                throw EngineError(
                    .commentTooLong, "the comments of \(label) have more than \(BackupNotes.byteLimit) bytes")
            }
            let isCreated = try await backend.create(key, bytes: bytes)
            // Also when there was one: of a call that was made twice, only the answer of the second may have come.
            if try await isInForce(after) {
                // A listing is no moment: one that runs while revisions come and go may show neither the new nor the old ones.
                let isLongAgo = now - before.changedAt >= Self.sweepAgeInSeconds
                try await sweep(label, below: isLongAgo ? before.revision : after.revision - BackupNotes.ancestorLimit)
                return after
            }
            // It was made behind the back of a newer one, whose maker had swept its number.
            if isCreated { _ = try await backend.delete([key]) }
        }
        throw EngineError(.busy, "others change the notes about \(label) all the time")
    }

    /// Removes all notes about a backup.
    package func remove(_ label: BackupLabel) async throws { try await backend.deleteNotes(server, label) }

    /// Whether a revision that was just made is the newest, or one that the newest follows.
    private func isInForce(_ notes: BackupNotes) async throws -> Bool {
        guard let newest = try await newest(notes.label, requiresKey: true) else { return false }
        return newest.id == notes.id || newest.ancestors.contains(notes.id)
    }

    /// Removes older revisions. One that cannot be removed now is left to the next change: it is in nobody's way.
    private func sweep(_ label: BackupLabel, below revision: Int) async throws {
        let older = try await backend.notesRevisions(Layout.notesPrefix(server, label))[label, default: []]
            .filter { $0 < revision }
        let keys = try older.map { revision in try Layout.notes(server, label, revision: revision) }
        _ = try await backend.delete(keys)
    }

    /// The newest revision; nil when there is none.
    private func newest(_ label: BackupLabel, requiresKey: Bool) async throws -> BackupNotes? {
        guard let (key, revision, bytes) = try await backend.newestNotes(server, label) else { return nil }
        let notes = try file.decode(bytes, name: key.string, requiresKey: requiresKey)
        guard notes.server == server, notes.label == label, notes.revision == revision else {
            throw EngineError(.notesDamaged, "'\(key)' is about '\(notes.server)' \(notes.label)")
        }
        return notes
    }
}

extension StorageBackend {
    /// The revisions of notes whose keys begin with a prefix, by label.
    func notesRevisions(_ prefix: String) async throws -> [BackupLabel: [Int]] {
        var found: [BackupLabel: [Int]] = [:]
        try await forEachEntry(ListRequest(prefix: prefix)) { entry in
            guard case .object(let info) = entry else { return }
            let parts = info.key.components.suffix(2)
            guard parts.count == 2, let label = parts.first.flatMap({ BackupLabel(String($0)) }),
                let name = parts.last, name.hasSuffix(".json"), let revision = Int(name.dropLast(5)), revision > 0,
                // What is not written as we write it was not written by us.
                try Layout.notes("s", label, revision: revision).name == name
            else { return }
            found[label, default: []].append(revision)
        }
        return found
    }

    /// The newest revision of the notes about a backup, as it is stored; nil when there is none.
    func newestNotes(
        _ server: String, _ label: BackupLabel
    ) async throws -> (key: ObjectKey, revision: Int, bytes: [UInt8])? {
        for _ in 0..<NotesStore.attempts {
            let revisions = try await notesRevisions(Layout.notesPrefix(server, label))[label]
            guard let newest = revisions?.max() else { return nil }
            let key = try Layout.notes(server, label, revision: newest)
            // When it is gone, somebody has made a newer one since.
            guard let bytes = try await readIfPresent(key, limit: BackupNotes.byteLimit) else { continue }
            return (key, newest, bytes)
        }
        throw EngineError(.busy, "others change the notes about \(label) all the time")
    }

    /// Removes all notes about a backup.
    func deleteNotes(_ server: String, _ label: BackupLabel) async throws {
        let revisions = try await notesRevisions(Layout.notesPrefix(server, label))[label] ?? []
        let keys = try revisions.map { revision in try Layout.notes(server, label, revision: revision) }
        if let failure = try await delete(keys).values.first { throw failure }
    }
}
