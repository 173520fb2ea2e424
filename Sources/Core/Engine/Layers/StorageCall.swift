import BackupAPI

/// One call to a place, as layers log it and put it into errors.
struct StorageCall: Sendable, Hashable {
    /// What is called. `read` and `write` are one call for each chunk.
    enum Kind: String, Sendable, Hashable, CaseIterable {
        case stat, openRead = "open-read", read, beginWrite = "begin-write", write, commit, list, delete, sweep, free
        case clock, end
    }

    let kind: Kind
    /// The object; the first one for `delete`; nil where none is concerned.
    let key: ObjectKey?

    init(_ kind: Kind, _ key: ObjectKey? = nil) {
        self.kind = kind
        self.key = key
    }

    /// How an error names it.
    var operation: StorageError.Operation {
        switch kind {
        case .stat, .free, .clock: .stat
        case .openRead, .read: .read
        case .beginWrite, .write: .write
        case .commit: .commit
        case .list: .list
        case .delete, .sweep: .delete
        case .end: .close
        }
    }

    /// An error about this call.
    func error(_ reason: StorageError.Reason, at target: String, detail: String? = nil) -> StorageError {
        StorageError(reason, operation: operation, key: key?.string, target: target, detail: detail)
    }
}
