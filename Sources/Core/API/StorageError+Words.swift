extension StorageError {
    public var summary: String {
        let thing = key.map { " '\($0)'" } ?? ""
        let place = target.isEmpty ? "" : " at \(target)"
        let native = detail.map { " (\($0))" } ?? ""
        return "cannot \(verb)\(thing)\(place): \(cause)\(native)"
    }

    public var remedy: String { specificRemedy ?? standardRemedy }

    private var verb: String {
        switch operation {
        case .open: "open the target"
        case .name: "use the name"
        case .stat: "look at"
        case .read: "read"
        case .write: "write"
        case .commit: "complete"
        case .list: "list"
        case .delete: "delete"
        case .close: "close"
        }
    }

    private var cause: String {
        switch reason {
        case .notFound: "there is no such object"
        case .alreadyExists: "it is already there"
        case .permissionDenied: "access denied"
        case .notAuthenticated: "the identity was not accepted"
        case .noSpace: "no space left"
        case .readOnly: "the place is read-only"
        case .throttled: "the server asks to slow down"
        case .unavailable: "the place does not answer"
        case .timedOut: "it took too long"
        case .corrupt: "the bytes are not what was stored"
        case .unsupported: "the place does not support it"
        case .invalidKey: "the name is not allowed"
        case .misconfigured: "the settings of the target are wrong"
        case .cancelled: "the operation was cancelled"
        case .failed: "the place reported a fault"
        }
    }

    private var standardRemedy: String {
        switch reason {
        case .notFound: "Check the name, and that nothing else deletes objects from the target."
        case .alreadyExists: "Another run wrote it; list the backups and try again."
        case .permissionDenied: "Give this identity permission to read, write, list and delete there."
        case .notAuthenticated: "Check the credentials of the target and the identity of its server."
        case .noSpace: "Free space or raise the quota, then run the command again."
        case .readOnly: "Mount the place for writing, or choose another target."
        case .throttled, .unavailable, .timedOut: "Check the network and the server, then run the command again."
        case .corrupt: "Run 'verify' on the backup, and restore from another backup or target."
        case .unsupported: "Run 'target check' to see what the place can do, or choose another target."
        case .invalidKey: "Choose a name without '..', control characters or empty parts."
        case .misconfigured: "Correct the target's section in the configuration."
        case .cancelled: "Run the command again."
        case .failed: "Look into the system log of the place; then run the command again."
        }
    }
}
