internal import BackupAPI

/// Why a request had no good answer. `SSHErrors` makes a `StorageError` of it for callers.
enum SFTPFault: Error, Sendable, Hashable {
    /// The server answered with a fault.
    case status(SFTPStatus, message: String)
    /// The connection cannot be used any more.
    case lost(ChannelLoss)
    /// The task was cancelled while it waited.
    case cancelled
    /// The server answered with something else than what the request asks for.
    case unexpected(String)
    /// Something else stands in the way, which we found out ourselves.
    case refused(StorageError.Reason, detail: String?, remedy: String?)
}

/// Why a connection ended, in the words of an operator.
struct ChannelLoss: Error, Sendable, Hashable {
    /// The kind of fault.
    var reason: StorageError.Reason
    /// The native words.
    var detail: String
    /// What to do, where more is known than the reason tells.
    var remedy: String?
    /// Whether the session had begun; if it had not, a second attempt at once is of no use.
    var wasEstablished: Bool

    /// Makes a loss.
    init(_ reason: StorageError.Reason, detail: String, remedy: String? = nil, wasEstablished: Bool = false) {
        self.reason = reason
        self.detail = detail
        self.remedy = remedy
        self.wasEstablished = wasEstablished
    }
}
