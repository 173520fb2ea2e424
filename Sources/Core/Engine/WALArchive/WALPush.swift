package import BackupAPI

/// What archived files are encoded with, and who stores them.
package struct WALPushPlan: Sendable {
    package var server: String
    /// The compression; nil for none.
    package var compression: (factory: CodecFactory, level: Int?)?
    /// The encryption; nil for none.
    package var encryption: CodecFactory?
    /// What repository keys are wrapped with; needed when `encryption` is set.
    package var masterKey: MasterKey?
    package var workers: Int
    package var codecs: CodecRegistry
    package var cryptography: any Cryptography
    /// Seconds since 1970.
    package var clock: @Sendable () -> Int

    package init(
        server: String, compression: (factory: CodecFactory, level: Int?)?, encryption: CodecFactory?,
        masterKey: MasterKey?, workers: Int, codecs: CodecRegistry, cryptography: any Cryptography,
        clock: @escaping @Sendable () -> Int
    ) {
        self.server = server
        self.compression = compression
        self.encryption = encryption
        self.masterKey = masterKey
        self.workers = workers
        self.codecs = codecs
        self.cryptography = cryptography
        self.clock = clock
    }
}

/// What became of a file that was to be archived.
package struct WALPushOutcome: Sendable {
    package let name: WALFileName
    package let byteCount: Int
    /// Stored bytes on one target; 0 when every target had the file already.
    package let storedByteCount: Int
    /// Why each target does not have the file; nil where it is complete and durable.
    package let targets: [BackupOutcome.TargetStatus]
}

/// Archives one file on all targets: what `archive_command` asks for.
///
/// The bytes get a name of their own in the archive; the record, which is created last and only if there is none, gives them that
/// of the file. So of several runs with the same file one wins, and the others find that it is there.
package struct WALPush: Sendable {
    private let plan: WALPushPlan

    package init(plan: WALPushPlan) { self.plan = plan }

    /// Archives the file at `path`, whose name is PostgreSQL's. On every target without a failure it is complete and durable when
    /// this returns, also where it was before.
    /// - Throws: when the file cannot be archived anywhere: `.walMalformed`, `.fileUnusable`, or the first target's failure.
    package func run(_ path: String, to targets: [UploadTarget]) async throws -> WALPushOutcome {
        let file = try WALFile(path, cryptography: plan.cryptography)
        var opened: [(target: UploadTarget, repository: Repository)] = []
        for target in targets {
            if let repository = try await target.attempt({ try await open(target, for: file) }) {
                opened.append((target, repository))
            }
        }
        try targets.requireOneComplete()
        var keys = KeyRing()
        if plan.encryption != nil {
            keys = try await EncryptionKeys(
                masterKey: plan.masterKey, cryptography: plan.cryptography, now: plan.clock
            ).prepare(opened)
        }
        var lacking: [Lacking] = []
        for (target, repository) in opened {
            let archive = archive(of: repository, keys: keys)
            if let one = try await target.attempt({ try await lack(of: file, target, archive) }), let one {
                lacking.append(one)
            }
        }
        let stored = lacking.isEmpty ? nil : try await store(file, on: lacking, keys)
        try targets.requireOneComplete()
        return WALPushOutcome(
            name: file.name, byteCount: file.byteCount, storedByteCount: stored?.object.bytes ?? 0,
            targets: targets.map { .init(name: $0.name, failure: $0.failure) })
    }

    /// A target that is to get the file.
    private struct Lacking {
        let target: UploadTarget
        let archive: WALArchive
        /// Whether its record is there already, of the same file, and only the bytes are lost.
        let replaces: Bool
    }

    private func open(_ target: UploadTarget, for file: WALFile) async throws -> Repository {
        let repository = try await Repository.openOrCreate(
            name: target.name, backend: target.backend, isEncrypted: plan.encryption != nil, masterKey: plan.masterKey,
            cryptography: plan.cryptography)
        if let segment = file.segment {
            try await repository.requireCluster(segment.systemIdentifier, server: plan.server)
        }
        return repository
    }

    private func archive(of repository: Repository, keys: KeyRing) -> WALArchive {
        WALArchive(
            repository: repository.encrypting(with: keys), server: plan.server, codecs: plan.codecs,
            cryptography: plan.cryptography)
    }

    /// - Returns: nil when the archive has the file.
    /// - Throws: `.walDiffers`.
    private func lack(of file: WALFile, _ target: UploadTarget, _ archive: WALArchive) async throws -> Lacking? {
        guard let found = try await archive.record(file.name) else {
            return Lacking(target: target, archive: archive, replaces: false)
        }
        try requireSame(found, file, archive)
        if try await archive.hasObject(found, file.name) { return nil }
        return Lacking(target: target, archive: archive, replaces: true)
    }

    private func requireSame(_ found: ArchivedWAL, _ file: WALFile, _ archive: WALArchive) throws(EngineError) {
        guard found.bytes == file.byteCount, found.sha256 == file.sha256 else {
            throw EngineError(.walDiffers, "'\(file.name)' of '\(plan.server)' at \(archive.backend.displayName)")
        }
    }

    private func store(_ file: WALFile, on lacking: [Lacking], _ keys: KeyRing) async throws -> ArchivedWAL {
        var codecs: [any Codec] = []
        if let compression = plan.compression { codecs.append(try compression.factory.make(compression.level, keys)) }
        if let encryption = plan.encryption { codecs.append(try encryption.make(nil, keys)) }
        let chain = CodecChain(codecs)
        let id = try Repository.newID(plan.cryptography)
        let path = "\(file.name).\(id)\(chain.suffix)"
        let pipe = EncodePipe(
            chain: chain, format: .standard, targets: lacking.map(\.target), cryptography: plan.cryptography,
            binding: .backup(id: id), keyPrefix: Layout.walPrefix(plan.server, file.name.timeline),
            workers: plan.workers, digestsObjects: false)
        let receipt = try await pipe.run {
            let stream = pipe.beginStream(framesPerVolume: nil) { _ in path }
            try await file.copy(to: stream)
            return try await stream.finish()
        }
        guard let object = receipt.volumes.first else { throw CancellationError() }
        let record = ArchivedWAL(
            id: id, server: plan.server, name: file.name.string, archivedAt: plan.clock(), bytes: file.byteCount,
            sha256: file.sha256, codecs: chain.codecs.map { .init(name: $0.name, parameters: $0.parameters) },
            frames: .standard, object: .init(path: object.path, bytes: object.bytes), segment: file.segment)
        for one in lacking { try await commit(record, file, on: one) }
        return record
    }

    /// Makes the bytes that were stored the file of that name. Where another run was faster with the same file, they are deleted.
    private func commit(_ record: ArchivedWAL, _ file: WALFile, on one: Lacking) async throws {
        let key = try Layout.walRecord(plan.server, file.name)
        let object = try Layout.walObject(plan.server, file.name.timeline, record.object.path)
        let backend = one.target.backend
        let isUsed: Void? = try await one.target.attempt {
            let bytes = try one.archive.bytes(of: record, file.name)
            if one.replaces { return try await backend.put(key, bytes: bytes) }
            if try await backend.create(key, bytes: bytes) { return }
            _ = try? await backend.delete([object])
            guard let found = try await one.archive.record(file.name) else {
                throw EngineError(.objectDamaged, "'\(key)' at \(backend.displayName) vanished")
            }
            try requireSame(found, file, one.archive)
        }
        if isUsed == nil { _ = try? await backend.delete([object]) }
    }
}
