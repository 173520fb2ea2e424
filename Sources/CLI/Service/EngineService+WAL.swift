import BackupAPI
import BackupEngine

extension EngineService {
    func pushWAL(_ request: WALPushRequest) async throws -> WALPushAnswer {
        try await running(.walPush, request.server.name) {
            let opened = await opened(request.targets)
            guard !opened.targets.isEmpty else { throw opened.firstFailure ?? CancellationError() }
            let server = request.server
            let codecs = session.kit.codecs
            let clock = session.clock
            let compression = server.compression.codec.flatMap { codecs.factory(named: $0) }
            let plan = WALPushPlan(
                server: server.name, compression: compression.map { ($0, server.compression.level) },
                encryption: server.encryption.flatMap { codecs.factory(named: $0) },
                masterKey: try masterKey(isRequired: server.encryption != nil), workers: Self.workers(server),
                codecs: codecs, cryptography: session.kit.cryptography, clock: { clock.unixMilliseconds() / 1000 })
            let outcome = try await WALPush(plan: plan).run(request.path, to: opened.targets)
            let outcomes = zip(outcome.targets, opened.targets).map { status, target in
                TargetOutcome(
                    status.name, failure: status.failure, durability: target.backend.capabilities.durability)
            }
            return WALPushAnswer(
                server: server.name, file: outcome.name.string, byteCount: outcome.byteCount,
                storedByteCount: outcome.storedByteCount, targets: outcomes + opened.failed)
        }
    }

    func fetchWAL(_ request: WALFetchRequest) async throws -> Bool {
        try await running(.walFetch, request.server.name) {
            let path = AbsolutePath.of(request.path)
            let beside = path[..<(path.lastIndex(of: "/") ?? path.startIndex)]
            let spool = WALSpool(
                folder: request.spoolFolder.map { folder in
                    let name = WALSpool.name(
                        for: request.server.name, of: String(beside), cryptography: session.kit.cryptography)
                    return "\(AbsolutePath.of(folder))/\(name)"
                } ?? "\(beside)/.pgmoneta-spool")
            let sources = walSources(request.server.name, request.targets)
            if let inherited = request.inheritedLock {
                try await WALPrefetch(
                    sources: sources, spool: spool, aheadCount: request.aheadCount, patience: .seconds(30)
                ).run(after: request.name, holding: SpoolLock(descriptor: inherited))
                return true
            }
            let clock = session.clock
            return try await WALFetch(
                sources: sources, spool: spool, aheadCount: request.aheadCount,
                clock: { clock.unixMilliseconds() / 1000 },
                startPrefetch: { try session.startCompanion?($1.descriptor) }
            ).run(request.name, to: path)
        }
    }

    func listWAL(_ request: WALListRequest) async throws -> WALListAnswer {
        try await running(.walList, request.server.name) {
            var answer = WALListAnswer(items: [], targets: [])
            var firstFailure: (any Error)?
            for source in walSources(request.server.name, request.targets) {
                do {
                    let archive = try await source.archive()
                    answer.items.append(.init(target: source.name, inventory: try await archive.inventory()))
                    answer.targets.append(
                        TargetOutcome(
                            source.name, failure: nil,
                            durability: archive.repository.backend.capabilities.durability))
                } catch {
                    guard !CommandError.isInterruption(error) else { throw error }
                    firstFailure = firstFailure ?? error
                    answer.targets.append(TargetOutcome(source.name, failure: error))
                }
            }
            if answer.items.isEmpty, let firstFailure { throw firstFailure }
            return answer
        }
    }

    /// The WAL archives of a server, each opened when it is needed. A target without a repository is a fault: it may be a folder
    /// where nothing is mounted, and must not look like an archive that ends.
    func walSources(_ server: String, _ definitions: [TargetDefinition]) -> [WALSource] {
        definitions.map { definition in
            WALSource(name: definition.name) {
                let backend = try await open(definition)
                let repository = try await Repository.open(
                    name: definition.name, backend: backend, masterKey: masterKey(isRequired: false),
                    cryptography: session.kit.cryptography)
                guard let repository else {
                    throw EngineError(.walUnavailable, "there is no repository at \(backend.displayName)")
                }
                return WALArchive(
                    repository: repository, server: server, codecs: session.kit.codecs,
                    cryptography: session.kit.cryptography)
            }
        }
    }
}
