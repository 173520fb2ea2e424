/// Who opens the keys of a repository, as far as the key objects say. No secret is needed to tell.
package struct KeyReport: Sendable, Hashable {
    /// A repository key.
    package struct Key: Sendable, Hashable {
        package let id: String
        /// Seconds since 1970.
        package let createdAt: Int
        /// Whether it encrypts what is new.
        package let isCurrent: Bool
        /// The ids of those who open it.
        package let recipients: [String]
    }

    /// A recipient.
    package struct Recipient: Sendable, Hashable {
        package let id: String
        /// `master-key` or `passphrase`.
        package let kind: String
        package let name: String?
        /// How many of the keys it opens.
        package let keyCount: Int
        /// Whether it opens what will be encrypted from now on.
        package let opensCurrent: Bool
    }

    /// Oldest first.
    package let keys: [Key]
    /// By their ids.
    package let recipients: [Recipient]

    init(_ stored: [StoredKey]) {
        let current = stored.last { !$0.isRetired }
        keys = stored.map { key in
            Key(
                id: key.id, createdAt: key.wrapped.createdAt, isCurrent: key.id == current?.id,
                recipients: key.wrapped.wraps.map(\.recipient))
        }
        let wraps = Dictionary(grouping: stored.flatMap(\.wrapped.wraps), by: \.recipient)
        recipients = wraps.sorted { $0.key < $1.key }.map { id, wraps in
            Recipient(
                id: id, kind: wraps[0].kind, name: wraps.compactMap(\.name).last, keyCount: wraps.count,
                opensCurrent: current?.isWrapped(for: id) == true)
        }
    }
}
