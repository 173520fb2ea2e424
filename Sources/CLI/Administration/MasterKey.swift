package import BackupAPI

/// The key that everything secret on this machine hangs on.
package struct MasterKey: Sendable, Hashable {
    /// 16 hexadecimal digits that follow from the key, for messages and to find a damaged file.
    package let id: String
    /// 32 bytes.
    package let key: Secret

    /// Bytes in a key.
    package static let byteCount = 32

    /// Makes a master key from its bytes; the id follows.
    package init(key: Secret, cryptography: any Cryptography) {
        self.key = key
        let code = cryptography.authenticationCode(key: key, message: Array("pgmoneta master key id".utf8))
        id = code.prefix(8).map { byte in
            let digits = String(byte, radix: 16)
            return byte < 16 ? "0" + digits : digits
        }.joined()
    }

    /// The key that seals the passwords of the users file.
    package func usersKey(_ cryptography: any Cryptography) throws(CodecError) -> Secret {
        try cryptography.deriveKey(
            from: key, salt: [], info: Array("pgmoneta users 1".utf8), byteCount: Self.byteCount)
    }
}
