package import BackupAPI
package import PostgresClient

/// The WAL archive of one server on one target: the files that PostgreSQL's `archive_command` gave, as they were.
package struct WALArchive: Sendable {
    package let repository: Repository
    package let server: String
    let cryptography: any Cryptography
    private let codecs: CodecRegistry
    private let file: AuthenticatedFile<ArchivedWAL>

    package init(
        repository: Repository, server: String, codecs: CodecRegistry, cryptography: any Cryptography
    ) {
        self.repository = repository
        self.server = server
        self.codecs = codecs
        self.cryptography = cryptography
        file = AuthenticatedFile(
            keys: repository.keys, cryptography: cryptography, isEncrypted: repository.description.isEncrypted)
    }

    var backend: any StorageBackend { repository.backend }

    /// Reads and checks the record of a file; nil when the archive does not have it.
    package func record(_ name: WALFileName) async throws -> ArchivedWAL? {
        let key = try Layout.walRecord(server, name)
        guard let bytes = try await backend.readIfPresent(key, limit: ArchivedWAL.byteLimit) else { return nil }
        return try record(from: bytes, name)
    }

    /// - Throws: `.walMissing` when retention removed the segment, so that the log goes on without it.
    func requireNotRemoved(_ name: WALFileName) async throws {
        var floors: [WALFileName] = []
        try await backend.forEachEntry(ListRequest(prefix: Layout.walFloorPrefix(server))) { entry in
            if case .object(let info) = entry, let floor = WALFileName(info.key.name) { floors.append(floor) }
        }
        guard let floor = floors.max(by: { $0.place < $1.place }), name.place < floor.place else { return }
        throw EngineError(
            .walMissing, "retention removed '\(name)' at \(backend.displayName), with all before '\(floor)'",
            remedy: "Recover from a backup that is still there.")
    }

    /// Checks the bytes of a record.
    func record(from bytes: [UInt8], _ name: WALFileName) throws -> ArchivedWAL {
        let key = try Layout.walRecord(server, name).string
        let found = try file.decode(bytes, name: key)
        guard found.server == server, found.name == name.string else {
            throw EngineError(.objectDamaged, "'\(key)' belongs to '\(found.server)' \(found.name)")
        }
        return found
    }

    /// The bytes of a record as they are stored here.
    func bytes(of record: ArchivedWAL, _ name: WALFileName) throws -> [UInt8] {
        try file.encode(record, name: Layout.walRecord(server, name).string)
    }

    /// Hands out the bytes of a file piece by piece. They are proven only when the call returns: encrypted bytes by the encryption, the
    /// file by its digest.
    /// - Throws: `.objectDamaged` when they are not what was archived, or are not there.
    func stream(_ record: ArchivedWAL, _ name: WALFileName, to consume: (RawSpan) throws -> Void) async throws {
        let key = try Layout.walObject(server, name.timeline, record.object.path)
        let digest = cryptography.makeDigest(.sha256)
        let reader = StoredObjectReader(backend: backend, chain: try chain(of: record), cryptography: cryptography)
        do {
            try await reader.stream(
                path: record.object.path, byteCount: record.object.bytes, sha512: nil, key: key,
                identity: record.identity(key: key.string)
            ) { bytes in
                digest.update(bytes)
                try consume(bytes)
            }
        } catch let fault as StorageError where fault.reason == .notFound {
            throw EngineError(.objectDamaged, "'\(key)' at \(backend.displayName) is missing")
        }
        guard hexadecimal(digest.finish()) == record.sha256 else {
            throw EngineError(.objectDamaged, "'\(key)' at \(backend.displayName) is not what was archived")
        }
    }

    private func chain(of record: ArchivedWAL) throws -> CodecChain {
        try CodecChain(record.codecs, codecs: codecs, keys: repository.keys)
    }

    /// Whether the bytes that a record names are there, with their size.
    func hasObject(_ record: ArchivedWAL, _ name: WALFileName) async throws -> Bool {
        let key = try Layout.walObject(server, name.timeline, record.object.path)
        do {
            return try await backend.stat(key).byteCount == record.object.bytes
        } catch {
            guard error.reason == .notFound else { throw error }
            return false
        }
    }

    /// The small file that a timeline's history is; nil when the archive does not have it.
    /// - Throws: `.objectDamaged` when it is no history.
    package func history(of timeline: Timeline) async throws -> TimelineHistory? {
        guard let name = WALFileName(timeline.historyFileName), let record = try await record(name) else { return nil }
        guard record.bytes <= 1 << 20 else { throw EngineError(.objectDamaged, "'\(name)' has \(record.bytes) bytes") }
        var bytes: [UInt8] = []
        try await stream(record, name) { span in
            unsafe span.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
        }
        guard let history = TimelineHistory(of: timeline, String(decoding: bytes, as: UTF8.self)) else {
            throw EngineError(.objectDamaged, "'\(name)' is not the history of a timeline")
        }
        return history
    }
}

extension CodecChain {
    /// The chain that a record names.
    /// - Throws: `.unsupportedFormat` for a codec that this program does not have.
    init(_ used: [BackupRecord.UsedCodec], codecs: CodecRegistry, keys: KeyRing) throws {
        self.init(
            try used.map { used in
                guard let factory = codecs.factory(named: used.name) else {
                    throw EngineError(.unsupportedFormat, "the codec '\(used.name)' is not part of this program")
                }
                return try factory.make(used.parameters["level"].flatMap { Int($0) }, keys)
            })
    }
}
