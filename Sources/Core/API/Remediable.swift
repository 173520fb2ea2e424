/// An error that an operator can act on.
public protocol Remediable: Error, Sendable, CustomStringConvertible {
    /// A stable name for scripts, such as `storage-no-space`; never reused for another meaning.
    var code: String { get }
    /// What happened, in one lower-case line without a full stop; the native words stand in parentheses at its end.
    var summary: String { get }
    /// What to type, check or change.
    var remedy: String { get }
    /// Whether and when the same call may succeed.
    var retry: RetryAdvice { get }
}

extension Remediable {
    /// The summary.
    public var description: String { summary }
}

/// Says whether the same call may succeed later.
public enum RetryAdvice: Sendable, Hashable {
    /// It fails again until somebody changes something.
    case never
    /// It may succeed if tried again.
    case later
    /// It may succeed after this time, which the other side named.
    case after(Duration)
}
