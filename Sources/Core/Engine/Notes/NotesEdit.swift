/// A change of a backup's notes that somebody asks for.
package enum NotesEdit: Sendable, Hashable {
    /// Adds a comment under a key that has none.
    case add(key: String, comment: String)
    /// Replaces the comment of a key.
    case update(key: String, comment: String)
    /// Removes a key with its comment.
    case remove(key: String)
    /// Says whether the backup is kept.
    case keep(Bool)
    /// Says what a verification found.
    case verified(BackupNotes.Verification)

    /// Changes notes.
    /// - Throws: `.commentExists` for a key to add that is there, `.commentMissing` for one to change that is not.
    func apply(to notes: inout BackupNotes) throws(EngineError) {
        switch self {
        case .add(let key, let comment):
            guard notes.comments[key] == nil else { throw EngineError(.commentExists, "'\(key)' of \(notes.label)") }
            notes.comments[key] = comment
        case .update(let key, let comment):
            guard notes.comments[key] != nil else { throw missing(key, notes) }
            notes.comments[key] = comment
        case .remove(let key):
            guard notes.comments.removeValue(forKey: key) != nil else { throw missing(key, notes) }
        case .keep(let isKept): notes.isKept = isKept
        case .verified(let verification): notes.verification = verification
        }
    }

    /// Whether notes are as the change would leave them.
    package func isReached(in notes: BackupNotes) -> Bool {
        switch self {
        case .add(let key, let comment), .update(let key, let comment): notes.comments[key] == comment
        case .remove(let key): notes.comments[key] == nil
        case .keep(let isKept): notes.isKept == isKept
        case .verified(let verification): notes.verification == verification
        }
    }

    private func missing(_ key: String, _ notes: BackupNotes) -> EngineError {
        EngineError(.commentMissing, "'\(key)' of \(notes.label)")
    }
}
