public import BackupAPI

/// A call that may be made to fail: one that can throw.
public struct FaultyCall: Sendable, Hashable {
    /// What is called. `read` and `write` are one call for each chunk.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        case stat, openRead, read, beginWrite, write, commit, list, delete, sweep, free, clock
    }

    /// Counts the calls of a backend and of its readers and uploads, from 1.
    public let number: Int
    /// What is called.
    public let kind: Kind
    /// The object; the first one for `delete`; nil for `list`, `sweep`, `free` and `clock`.
    public let key: ObjectKey?
}

/// What goes wrong in a call.
public enum Fault: Sendable {
    /// The call throws and does nothing.
    case failBefore(StorageError)
    /// The call does its work and throws all the same, as when the answer of a server is lost.
    case failAfter(StorageError)
    /// For `openRead` and `beginWrite`: so many bytes pass, then each call throws.
    case cut(afterByteCount: Int, StorageError)
    /// For `openRead`: the object seems to end after so many bytes.
    case truncate(afterByteCount: Int)
    /// The call waits so long and then goes on; a cancelled task does not wait.
    case delay(Duration)
    /// The call waits until its task is cancelled and then throws `.cancelled`.
    case hang
}
