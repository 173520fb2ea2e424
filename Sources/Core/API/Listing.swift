/// What is known of an object without reading it.
public struct ObjectInfo: Sendable, Hashable {
    /// Its name.
    public let key: ObjectKey
    /// Its size in bytes.
    public let byteCount: Int

    /// Makes an entry.
    public init(key: ObjectKey, byteCount: Int) {
        self.key = key
        self.byteCount = byteCount
    }
}

/// What to list.
public struct ListRequest: Sendable, Hashable {
    /// Only keys that begin with this text; empty for all. It may end in the middle of a component.
    public var prefix: String
    /// Only keys (and folders) that sort behind this text; nil from the beginning.
    public var after: String?
    /// Whether keys are cut behind the first `/` after the prefix, each folder named once.
    public var isShallow: Bool
    /// Most entries of one page: 1 to 1000. A page may be shorter even when more follow.
    public var limit: Int

    /// Makes a request.
    public init(prefix: String, after: String? = nil, isShallow: Bool = false, limit: Int = 1000) {
        self.prefix = prefix
        self.after = after
        self.isShallow = isShallow
        self.limit = min(1000, max(1, limit))
    }
}

/// One line of a listing.
public enum ListEntry: Sendable, Hashable {
    /// An object.
    case object(ObjectInfo)
    /// The common beginning of one or more keys, ending in `/`; only in shallow listings.
    case folder(String)

    /// The text that a listing is ordered by, and what to give as `after` to go on behind this entry.
    public var position: String {
        switch self {
        case .object(let info): info.key.string
        case .folder(let path): path
        }
    }
}

/// A piece of a listing.
public struct ListPage: Sendable, Hashable {
    /// Entries in ascending order of their bytes of UTF-8, each once.
    public let entries: [ListEntry]
    /// Whether more follow behind the last entry; a page that has more is not empty.
    public let hasMore: Bool

    /// Makes a page.
    public init(entries: [ListEntry], hasMore: Bool) {
        self.entries = entries
        self.hasMore = hasMore
    }
}
