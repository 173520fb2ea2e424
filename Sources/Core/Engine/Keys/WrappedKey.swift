package import BackupAPI

/// A key object (docs/FORMAT.md, "keys"): a repository key, wrapped once for each recipient.
struct WrappedKey: Sendable, Codable {
    struct Wrap: Sendable, Codable, Hashable {
        /// How the recipient's secret becomes a key.
        enum Kind: String, Sendable {
            /// It is one: HKDF-SHA-256 of the master key makes the key-encryption key.
            case masterKey = "master-key"
            /// By scrypt; what comes out is used as a master key.
            case passphrase
        }

        /// A `Kind`; one that is not known is nobody's whom we know.
        var kind: String
        /// The id of the master key.
        var recipient: String
        /// What people call the recipient.
        var name: String?
        /// Of a passphrase.
        var scrypt: PassphraseStretch?
        /// Hexadecimal.
        var salt: String
        /// Hexadecimal: nonce, ciphertext and tag of AES-256-GCM.
        var sealed: String
    }

    var format = Layout.formatVersion
    var id: String
    /// How often its recipients were changed; nil is never.
    var revision: Int?
    /// Seconds since 1970; the newest key that is not retired encrypts.
    var createdAt: Int
    var wraps: [Wrap]
    /// Made with the repository key itself; nil in objects of the first version, whose recipients were never changed.
    var authentication: String?
}

/// A key object as it is found: the newest revision.
struct StoredKey: Sendable {
    let wrapped: WrappedKey
    let key: ObjectKey
    let bytes: [UInt8]
    /// Objects of older revisions, which are of no use.
    let superseded: [ObjectKey]
    /// Whether nothing is encrypted with it any more.
    let isRetired: Bool

    var id: String { wrapped.id }
    var revision: Int { wrapped.revision ?? 0 }

    /// Whether somebody is a recipient.
    func isWrapped(for recipient: String) -> Bool { wrapped.wraps.contains { $0.recipient == recipient } }
}

/// A repository key that is being made or was opened.
package struct RepositoryKey: Sendable {
    package let id: String
    package let secret: Secret

    init(id: String, secret: Secret) {
        self.id = id
        self.secret = secret
    }

    /// Makes a new one.
    package init(_ cryptography: any Cryptography) throws(CodecError) {
        id = hexadecimal(try cryptography.randomBytes(8))
        secret = Secret(try cryptography.randomBytes(MasterKey.byteCount))
    }
}
