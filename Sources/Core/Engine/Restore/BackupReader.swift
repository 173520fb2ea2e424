package import BackupAPI

/// Opens one backup for reading: its record, its index, its manifest, with everything checked that is read.
package struct BackupReader: Sendable {
    package let catalog: Catalog
    package let record: BackupRecord
    package let frames: FrameWalk
    private let cryptography: any Cryptography
    /// The record as an object, with the digest that it has.
    private let storedRecord: StoredObject

    /// The record's bytes are compared with `backup.sha512` before anything that they say is believed: a changed bit in them must
    /// not look like a newer format or another key.
    /// - Throws: `.masterKeyMissing` when the backup is encrypted and its key is not here; `.recordDamaged`.
    package init(
        catalog: Catalog, label: BackupLabel, codecs: CodecRegistry, cryptography: any Cryptography, workers: Int
    ) async throws {
        let bytes = try await Self.naming(Layout.recordName, of: label) { try await catalog.recordBytes(label) }
        guard let bytes else {
            throw EngineError(.recordDamaged, "'\(Layout.backupPrefix(catalog.server, label))backup.info' is missing")
        }
        let digest = cryptography.makeDigest(.sha512)
        digest.update(unsafe bytes.span.bytes)
        storedRecord = StoredObject(path: Layout.recordName, bytes: bytes.count, sha512: hexadecimal(digest.finish()))
        let line = ChecksumList.text([storedRecord])
        guard try await Self.checksumList(of: label, in: catalog).suffix(line.count).elementsEqual(line) else {
            throw EngineError(
                .recordDamaged,
                "'\(Layout.recordName)' of \(label) is not the one in '\(Layout.checksumsName)': one of them was altered"
            )
        }
        record = try catalog.record(from: bytes, label, requiresKey: true)
        self.catalog = catalog
        self.cryptography = cryptography
        frames = FrameWalk(
            backend: catalog.repository.backend, codecs: codecs, keys: catalog.repository.keys, workers: workers)
    }

    private static func checksumList(of label: BackupLabel, in catalog: Catalog) async throws -> [UInt8] {
        try await naming(Layout.checksumsName, of: label) {
            let key = try Layout.object(catalog.server, label, Layout.checksumsName)
            return try await catalog.repository.backend.read(key, limit: 256 << 20)
        }
    }

    private var backend: any StorageBackend { catalog.repository.backend }

    /// Reads the index and proves it by the digest in the record.
    package func index() async throws -> BackupIndex {
        let reader = StoredObjectReader(
            backend: backend, chain: try frames.chain(of: record), cryptography: cryptography)
        return try await Self.naming(record.index.path, of: record.label) {
            let bytes = try await reader.bytes(
                record.index, key: key(record.index.path), identity: record.identity(path: record.index.path))
            let index = try BackupIndex(decoding: bytes)
            try requireTablespaces(of: index)
            return index
        }
    }

    /// Checks that record and index tell of the same tablespaces.
    private func requireTablespaces(of index: BackupIndex) throws(EngineError) {
        let names = Set(index.archives.map(\.name)).subtracting(["base", "pg_wal"])
        guard names == Set(record.tablespaces.map { String($0.oid) }) else {
            throw EngineError(.indexDamaged, "its tablespaces are not those of the record")
        }
    }

    /// Hands out the manifest's bytes piece by piece; they are proven when the call returns.
    package func manifest(to consume: (RawSpan) async throws -> Void) async throws {
        let reader = StoredObjectReader(
            backend: backend, chain: try frames.chain(of: record), cryptography: cryptography)
        try await Self.naming(record.manifest.path, of: record.label) {
            try await reader.stream(
                record.manifest, key: key(record.manifest.path), identity: record.identity(path: record.manifest.path),
                to: consume)
        }
    }

    /// All objects of the backup with their digests, as `backup.sha512` lists them, but for the record itself.
    package func objects(_ index: BackupIndex) -> [StoredObject] {
        index.archives.flatMap(\.volumes) + [record.manifest, record.index]
    }

    /// Checks that `backup.sha512` is exactly what the record and the index say it must be.
    package func requireChecksumList(_ index: BackupIndex) async throws {
        let expected = ChecksumList.text(objects(index) + [storedRecord])
        let stored = try await Self.checksumList(of: record.label, in: catalog)
        guard stored == expected else {
            throw EngineError(
                .objectDamaged, "'\(Layout.checksumsName)' or '\(Layout.recordName)' of \(record.label) was altered")
        }
    }

    package func key(_ path: String) throws(StorageError) -> ObjectKey {
        try Layout.object(record.server, record.label, path)
    }

    /// Turns an object that is gone, or cannot be read any more, into a damage that names it.
    private static func naming<Result>(
        _ path: String, of label: BackupLabel, _ body: () async throws -> Result
    ) async throws -> Result {
        do {
            return try await body()
        } catch let fault as StorageError {
            if let damage = EngineError(damageOf: path, of: label, fault) { throw damage }
            throw fault
        } catch let error as EngineError {
            throw error.about(label)
        }
    }
}
