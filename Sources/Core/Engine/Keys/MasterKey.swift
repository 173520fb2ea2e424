package import BackupAPI

/// The operator's secret that repository keys are wrapped with: the bytes of a master key, or a passphrase.
package struct MasterKey: Sendable, Hashable {
    /// Bytes in a key.
    package static let byteCount = 32

    /// Names it, so that a wrong one is told from a damaged one. A passphrase has no name: with every salt it is another key.
    package let id: String
    /// At least 32 random bytes, what scrypt made of a passphrase, or the passphrase itself.
    package let secret: Secret
    /// Whether the secret is a passphrase, which becomes a key by the salt that stands beside what it wraps.
    package let isPassphrase: Bool

    package init(id: String, secret: Secret) {
        self.id = id
        self.secret = secret
        isPassphrase = false
    }

    /// Makes a master key from its bytes; the id, 16 hexadecimal digits, follows from them.
    package init(secret: Secret, cryptography: any Cryptography) {
        let code = cryptography.authenticationCode(key: secret, message: Array("pgmoneta master key id".utf8))
        self.init(id: hexadecimal(Array(code.prefix(8))), secret: secret)
    }

    /// Takes a passphrase as it was typed.
    package init(passphrase: Secret) {
        id = ""
        secret = passphrase
        isPassphrase = true
    }
}

/// How a passphrase becomes a key: scrypt (RFC 7914) with r = 8, p = 1.
package struct PassphraseStretch: Sendable, Hashable, Codable {
    /// N for new ones: about 0.4 s and 128 MiB.
    package static let standardCost = 1 << 17
    /// The costs that are believed: more would take gigabytes, and less would be no work for a guesser.
    private static let costs = 1 << 14...1 << 20

    /// N, a power of two.
    var cost: Int
    /// Hexadecimal.
    var salt: String

    /// Makes one with a salt of its own.
    init(_ cryptography: any Cryptography) throws(CodecError) {
        cost = Self.standardCost
        salt = hexadecimal(try cryptography.randomBytes(32))
    }

    /// The key of a passphrase; nil where the parameters are not to be believed.
    func key(of passphrase: Secret, _ cryptography: any Cryptography) throws(CodecError) -> MasterKey? {
        guard Self.costs.contains(cost), cost & (cost - 1) == 0, let salt = bytes(hexadecimal: salt), salt.count >= 16
        else { return nil }
        let secret = try cryptography.deriveKey(
            fromPassphrase: passphrase, salt: salt, cost: cost, byteCount: MasterKey.byteCount)
        return MasterKey(secret: secret, cryptography: cryptography)
    }
}
