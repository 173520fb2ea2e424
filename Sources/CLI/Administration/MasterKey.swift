package import BackupAPI
package import BackupEngine

extension MasterKey {
    /// The key that seals the passwords of the users file.
    package func usersKey(_ cryptography: any Cryptography) throws(CodecError) -> Secret {
        try cryptography.deriveKey(
            from: secret, salt: [], info: Array("pgmoneta users 1".utf8), byteCount: Self.byteCount)
    }
}
