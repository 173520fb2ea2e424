/// The laws of `StorageBackend`, by the names that its documentation gives them. In the order in which they are checked.
public enum BackendLaw: String, Sendable, Hashable, CaseIterable {
    case roundTrip = "round-trip"
    case commitIsAtomic = "commit-is-atomic"
    case commitIsDurable = "commit-is-durable"
    case readAfterWrite = "read-after-write"
    case replaceIsWhole = "replace-is-whole"
    case ifAbsentIsHonest = "if-absent-is-honest"
    case abortLeavesNothing = "abort-leaves-nothing"
    case cancelLeavesNothing = "cancel-leaves-nothing"
    case deleteIsIdempotent = "delete-is-idempotent"
    case listIsOrdered = "list-is-ordered"
    case listHidesTemporaries = "list-hides-temporaries"
    case namesAreKept = "names-are-kept"
    case errorsHaveReasons = "errors-have-reasons"
    case callsMayOverlap = "calls-may-overlap"
    case sweepIsCareful = "sweep-is-careful"
    /// The last one: it looks at every error that the others met.
    case noSecretIsPrinted = "no-secret-is-printed"
}
