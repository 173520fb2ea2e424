package import BackupAPI

/// Turns a record into the bytes of `backup.info` and back, with its authentication code.
package struct RecordFile: Sendable {
    private let cryptography: any Cryptography
    private let keys: KeyRing
    private let isEncrypted: Bool

    /// - Parameter isEncrypted: whether the repository takes encrypted backups only; a plain record is then refused.
    package init(keys: KeyRing, cryptography: any Cryptography, isEncrypted: Bool = false) {
        self.keys = keys
        self.isEncrypted = isEncrypted
        self.cryptography = cryptography
    }

    /// The bytes to store.
    package func encode(_ record: BackupRecord) throws -> [UInt8] {
        var record = record
        guard let id = record.keyID, let key = keys.key(id) else {
            record.authentication = ""
            return try CanonicalJSON.encode(record)
        }
        record.authentication = TextSeal.zeros
        record.authentication = try seal(record, key).code(of: CanonicalJSON.encode(record))
        return try CanonicalJSON.encode(record)
    }

    /// Reads stored bytes.
    /// - Throws: `.recordDamaged`, `.unsupportedFormat`, or `.masterKeyMissing` when `requiresKey` and the key is not here.
    package func decode(_ bytes: [UInt8], name: String, requiresKey: Bool) throws -> BackupRecord {
        let record: BackupRecord
        do {
            record = try CanonicalJSON.decode(BackupRecord.self, from: bytes)
        } catch {
            if let format = try? CanonicalJSON.decode(FormatOnly.self, from: bytes).format,
                format > Layout.formatVersion
            {
                throw EngineError(.unsupportedFormat, "'\(name)' has format \(format)")
            }
            throw EngineError(.recordDamaged, "'\(name)' is not a backup record")
        }
        guard record.format == Layout.formatVersion else {
            throw EngineError(.unsupportedFormat, "'\(name)' has format \(record.format)")
        }
        guard record.isPlausible else { throw EngineError(.recordDamaged, "'\(name)' has numbers that cannot be") }
        guard let id = record.keyID else {
            guard !isEncrypted, record.authentication.isEmpty else {
                throw EngineError(.recordDamaged, "'\(name)' is plain where only encrypted backups are kept")
            }
            return record
        }
        guard let key = keys.key(id) else {
            // Without any key a listing still shows what there is; with one, an unknown key is not to be believed.
            guard !requiresKey, keys.isEmpty else {
                throw EngineError(.masterKeyMissing, "'\(name)' is encrypted with key \(id)")
            }
            return record
        }
        guard try seal(record, key).fits(bytes, code: record.authentication) else {
            throw EngineError(.recordDamaged, "'\(name)' is not authentic: it was altered or replaced")
        }
        return record
    }

    private struct FormatOnly: Codable {
        var format: Int
    }

    private func seal(_ record: BackupRecord, _ key: Secret) throws(CodecError) -> TextSeal {
        try TextSeal(key, salt: record.id, info: "pgmoneta-record-1", cryptography: cryptography)
    }
}
