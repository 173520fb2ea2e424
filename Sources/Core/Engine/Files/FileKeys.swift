package import BackupAPI

/// The key of encrypted files outside a repository. It follows from the master key alone, so that a file opens wherever that is.
package enum FileKeys {
    private static let info = Array("pgmoneta-file-1".utf8)

    /// The ring with that key, under the master key's id. Each file has keys of its own, which follow from this one and the random
    /// salt in the file's header.
    package static func ring(_ master: MasterKey, _ cryptography: any Cryptography) throws(CodecError) -> KeyRing {
        var ring = KeyRing()
        let key = try cryptography.deriveKey(from: master.secret, salt: [], info: info, byteCount: 32)
        ring.add(id: master.id, key: key, isCurrent: true)
        return ring
    }
}
