/// Why a storage call failed. Every backend translates its native faults into one of these, in `<Name>Errors.swift`.
public struct StorageError: Remediable, Hashable {
    /// The kinds of fault an engine can react to.
    public enum Reason: String, Sendable, Hashable, CaseIterable {
        /// There is no object with that key.
        case notFound = "not-found"
        /// A create-only write found an object there.
        case alreadyExists = "already-exists"
        /// The place refuses this identity the operation.
        case permissionDenied = "permission-denied"
        /// The place does not accept who we say we are, or we do not accept who it says it is.
        case notAuthenticated = "not-authenticated"
        /// The place has no room, or a quota is used up.
        case noSpace = "no-space"
        /// The place cannot be written at all.
        case readOnly = "read-only"
        /// The place asks us to slow down.
        case throttled
        /// The place does not answer or the connection broke.
        case unavailable
        /// The call took longer than its limit.
        case timedOut = "timed-out"
        /// What came back is not what was stored.
        case corrupt
        /// The place lacks something the call needs.
        case unsupported
        /// The key or the location is not well formed.
        case invalidKey = "invalid-key"
        /// The settings of the target are wrong or incomplete.
        case misconfigured
        /// The task was cancelled.
        case cancelled
        /// Any other fault of the place, such as an input/output error.
        case failed
    }

    /// What was being done.
    public enum Operation: String, Sendable, Hashable {
        case open, name, stat, read, write, commit, list, delete, close
    }

    /// The kind of fault.
    public let reason: Reason
    /// What was being done.
    public let operation: Operation
    /// The object, where one is concerned.
    public let key: String?
    /// `displayName` of the backend; empty where none is known yet.
    public let target: String
    /// The native words, such as `EACCES` or `HTTP 403 AccessDenied`; never a secret.
    public let detail: String?
    /// When the place said how long to wait.
    public let waitAdvice: Duration?
    /// Overrides the remedy of the reason where the backend knows a better one.
    public let specificRemedy: String?

    /// Makes an error.
    public init(
        _ reason: Reason, operation: Operation, key: String? = nil, target: String, detail: String? = nil,
        waitAdvice: Duration? = nil, remedy: String? = nil
    ) {
        self.reason = reason
        self.operation = operation
        self.key = key
        self.target = target
        self.detail = detail
        self.waitAdvice = waitAdvice
        self.specificRemedy = remedy
    }

    public var code: String { "storage-\(reason.rawValue)" }

    public var retry: RetryAdvice {
        switch reason {
        case .throttled, .unavailable, .timedOut:
            if let waitAdvice { return .after(waitAdvice) }
            return .later
        default: return .never
        }
    }
}
