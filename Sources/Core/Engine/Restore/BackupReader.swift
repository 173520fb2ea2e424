package import BackupAPI

/// Opens one backup for reading: its record, its index, its manifest, with everything checked that is read.
package struct BackupReader: Sendable {
    package let catalog: Catalog
    package let record: BackupRecord
    package let frames: FrameWalk
    private let cryptography: any Cryptography

    /// - Throws: `.masterKeyMissing` when the backup is encrypted and its key is not here; `.recordDamaged`.
    package init(
        catalog: Catalog, label: BackupLabel, codecs: CodecRegistry, cryptography: any Cryptography, workers: Int
    ) async throws {
        guard let record = try await catalog.record(label, requiresKey: true) else {
            throw EngineError(.recordDamaged, "'\(Layout.backupPrefix(catalog.server, label))backup.info' is missing")
        }
        self.catalog = catalog
        self.record = record
        self.cryptography = cryptography
        frames = FrameWalk(
            backend: catalog.repository.backend, codecs: codecs, keys: catalog.repository.keys, workers: workers)
        try await requireRecordDigest()
    }

    /// Checks the record against `backup.sha512` before anything else it says is believed.
    private func requireRecordDigest() async throws {
        let line = ChecksumList.text([try await storedRecord()])
        guard try await storedChecksumList().suffix(line.count).elementsEqual(line) else {
            throw EngineError(
                .recordDamaged,
                "'\(Layout.recordName)' of \(record.label) is not the one in '\(Layout.checksumsName)': one of them was altered"
            )
        }
    }

    /// The record as an object with the digest that it has now.
    private func storedRecord() async throws -> StoredObject {
        let bytes = try await backend.read(key(Layout.recordName), limit: 64 << 20)
        let digest = cryptography.makeDigest(.sha512)
        digest.update(unsafe bytes.span.bytes)
        return StoredObject(path: Layout.recordName, bytes: bytes.count, sha512: hexadecimal(digest.finish()))
    }

    private func storedChecksumList() async throws -> [UInt8] {
        try await naming(Layout.checksumsName) {
            try await backend.read(key(Layout.checksumsName), limit: 256 << 20)
        }
    }

    private var backend: any StorageBackend { catalog.repository.backend }

    /// Reads the index and proves it by the digest in the record.
    package func index() async throws -> BackupIndex {
        let reader = StoredObjectReader(
            backend: backend, chain: try frames.chain(of: record), cryptography: cryptography)
        return try await naming(record.index.path) {
            let bytes = try await reader.bytes(
                record.index, key: key(record.index.path), identity: record.identity(path: record.index.path))
            return try BackupIndex(decoding: bytes)
        }
    }

    /// Hands out the manifest's bytes piece by piece; they are proven when the call returns.
    package func manifest(to consume: (RawSpan) async throws -> Void) async throws {
        let reader = StoredObjectReader(
            backend: backend, chain: try frames.chain(of: record), cryptography: cryptography)
        try await naming(record.manifest.path) {
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
        let expected = ChecksumList.text(objects(index) + [try await storedRecord()])
        let stored = try await storedChecksumList()
        guard stored == expected else {
            throw EngineError(
                .objectDamaged, "'\(Layout.checksumsName)' or '\(Layout.recordName)' of \(record.label) was altered")
        }
    }

    package func key(_ path: String) throws(StorageError) -> ObjectKey {
        try Layout.object(record.server, record.label, path)
    }

    /// Turns a missing object into a damage that names it.
    private func naming<Result>(_ path: String, _ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let error as StorageError where error.reason == .notFound {
            throw EngineError(.objectDamaged, "'\(path)' of \(record.label) is missing")
        } catch let error as EngineError {
            throw error.about(record.label)
        }
    }
}
