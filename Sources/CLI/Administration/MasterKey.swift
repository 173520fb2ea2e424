package import BackupAPI
package import BackupEngine

extension MasterKey {
    /// Bytes in a key.
    package static let byteCount = 32

    /// Makes a master key from its bytes; the id, 16 hexadecimal digits, follows from them.
    package init(secret: Secret, cryptography: any Cryptography) {
        let code = cryptography.authenticationCode(key: secret, message: Array("pgmoneta master key id".utf8))
        self.init(id: hexadecimal(Array(code.prefix(8))), secret: secret)
    }

    /// The key that seals the passwords of the users file.
    package func usersKey(_ cryptography: any Cryptography) throws(CodecError) -> Secret {
        try cryptography.deriveKey(
            from: secret, salt: [], info: Array("pgmoneta users 1".utf8), byteCount: Self.byteCount)
    }
}
