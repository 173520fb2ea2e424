/// The symmetric keys at hand, by id. Encryption uses the current one, decryption the one that a header names.
public struct KeyRing: Sendable {
    /// The id of the key that new objects are encrypted with; nil when there is none, though others may be there to decrypt.
    public private(set) var currentID: String?
    private var keys: [String: Secret]

    /// Makes a ring without keys.
    public init() {
        keys = [:]
        currentID = nil
    }

    /// Adds a key of 32 bytes under its id.
    public mutating func add(id: String, key: Secret, isCurrent: Bool) {
        keys[id] = key
        if isCurrent { currentID = id }
    }

    /// Whether there is no key at all.
    public var isEmpty: Bool { keys.isEmpty }

    /// The key with that id.
    public func key(_ id: String) -> Secret? { keys[id] }
}
