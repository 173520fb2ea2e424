import BackupAPI

/// A backup as the objects it consists of, none of them decoded.
struct SealedBackup: Sendable {
    private static let recordLimit = 64 << 20
    private static let listLimit = 64 << 20

    let record: BackupRecord
    /// `backup.info` as stored.
    let recordBytes: [UInt8]
    /// `backup.sha512` as stored.
    let listBytes: [UInt8]
    /// All other objects, with the digests that the list says and the sizes that the place tells.
    let objects: [StoredObject]

    /// Reads what describes a backup, and checks that its parts fit together.
    /// - Throws: `.unknownBackup` when there is no record; `.recordDamaged`; `.objectDamaged` when an object is missing, or
    ///   the list is not the one that was written with the record.
    static func open(_ catalog: Catalog, _ label: BackupLabel, cryptography: any Cryptography) async throws
        -> SealedBackup
    {
        let backend = catalog.repository.backend
        guard let record = try await catalog.record(label, requiresKey: false) else {
            throw EngineError(.unknownBackup, "'\(label)' of '\(catalog.server)' at \(backend.displayName)")
        }
        func key(_ path: String) throws(StorageError) -> ObjectKey {
            try Layout.object(catalog.server, label, path)
        }
        let recordKey = try key(Layout.recordName)
        let recordBytes = try await backend.read(recordKey, limit: recordLimit)
        let listKey = try key(Layout.checksumsName)
        guard let listBytes = try await backend.readIfPresent(listKey, limit: listLimit) else {
            throw EngineError(.objectDamaged, "'\(Layout.checksumsName)' of \(label) is missing")
        }
        let sizes = try await backend.sizes(below: Layout.backupPrefix(catalog.server, label))
        let objects = try objects(
            of: record, recordDigest: digest(recordBytes, cryptography), list: listBytes, sizes: sizes)
        return SealedBackup(record: record, recordBytes: recordBytes, listBytes: listBytes, objects: objects)
    }

    private static func objects(
        of record: BackupRecord, recordDigest: String, list: [UInt8], sizes: [String: Int]
    ) throws(EngineError) -> [StoredObject] {
        let altered = EngineError(
            .objectDamaged, "'\(Layout.checksumsName)' or '\(Layout.recordName)' of \(record.label) was altered")
        guard let entries = ChecksumList.digests(list), entries.last?.path == Layout.recordName,
            entries.last?.sha512 == recordDigest
        else { throw altered }
        var objects: [StoredObject] = []
        for (path, sha512) in entries.dropLast() {
            guard let byteCount = sizes[path] else {
                throw EngineError(.objectDamaged, "'\(path)' of \(record.label) is missing")
            }
            objects.append(StoredObject(path: path, bytes: byteCount, sha512: sha512))
        }
        for known in [record.manifest, record.index] where !objects.contains(known) {
            throw EngineError(.objectDamaged, "'\(known.path)' of \(record.label) is not as its record says")
        }
        guard objects.reduce(0, { $0 + $1.bytes }) == record.backupBytes else {
            throw EngineError(.objectDamaged, "the objects of \(record.label) have not the size that its record says")
        }
        return objects
    }

    private static func digest(_ bytes: [UInt8], _ cryptography: any Cryptography) -> String {
        let digest = cryptography.makeDigest(.sha512)
        // Sound: the span does not outlive the call.
        digest.update(unsafe bytes.span.bytes)
        return hexadecimal(digest.finish())
    }
}
