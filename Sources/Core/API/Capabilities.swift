/// What a place can do. It changes speed, never meaning; a backend that claims what it does not keep fails the conformance list.
public struct Capabilities: Sendable, Hashable {
    /// How sure a committed object is.
    public enum Durability: String, Sendable, Hashable {
        /// It survives a power cut of the place once `commit` has returned.
        case durable
        /// The place gives no such promise, and says so in `info`.
        case unknown
    }

    /// How sure a committed object is.
    public var durability: Durability
    /// Whether a create-only write is decided by the place itself, so that one of two racing writers always loses.
    public var hasAtomicCreate: Bool
    /// Whether an object that is replaced is there at every moment. Without it, a reader may find none for a moment, and a writer
    /// that dies in that moment leaves none. New objects are atomic all the same.
    public var hasAtomicReplace: Bool
    /// How many calls at once make it faster; more only wait.
    public var usefulConcurrency: Int
    /// Largest object in bytes, where there is a limit.
    public var maximumObjectByteCount: Int?
    /// Short remarks for `target check`, such as a server's missing extension.
    public var remarks: [String]

    /// Makes a set of capabilities.
    public init(
        durability: Durability, hasAtomicCreate: Bool, hasAtomicReplace: Bool, usefulConcurrency: Int,
        maximumObjectByteCount: Int? = nil, remarks: [String] = []
    ) {
        self.durability = durability
        self.hasAtomicCreate = hasAtomicCreate
        self.hasAtomicReplace = hasAtomicReplace
        self.usefulConcurrency = usefulConcurrency
        self.maximumObjectByteCount = maximumObjectByteCount
        self.remarks = remarks
    }
}
