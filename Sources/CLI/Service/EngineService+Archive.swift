import BackupAPI
import BackupEngine
import Glibc
import Logging

extension EngineService {
    func archive(_ request: ArchiveRequest, progress: ProgressCounter) async throws -> ArchiveAnswer {
        try request.position.requireBackupsEnd()
        return try await running(.archive, request.server.name, progress) {
            let codecs = try codecs(of: request)
            let view = try await view(request.server.name, request.targets, for: request.identifier)
            let label = try view.label(request.identifier)
            if let damage = view.damage(of: label) { throw damage }
            let destination = ArchiveDestination(
                backend: try await place(request.destination), codecs: codecs, replaces: request.isForced)
            var summary = view.summary(of: label, codecs: session.kit.codecs)
            for outcome in summary.targets where outcome.status == .failed { warn(outcome) }
            // What went to a stream cannot be taken back, so that no other source may be tried.
            let sources = view.catalogs(with: label)
            let outcome = try await fromFirstSource(
                request.destination.isStream ? Array(sources.prefix(1)) : sources, &summary.targets
            ) { catalog in
                let chain = try await BackupChain.open(
                    catalog: catalog, label: label, codecs: session.kit.codecs,
                    cryptography: session.kit.cryptography, workers: Self.workers(request.server))
                progress.begin(progress.reading.activity)
                return try await ArchiveOperation(
                    chain: chain, destination: destination, cryptography: session.kit.cryptography,
                    progress: progress
                ).run()
            }
            return ArchiveAnswer(
                summary, archive: request.destination.path(of: outcome.name), byteCount: outcome.storedByteCount,
                plainByteCount: outcome.plainByteCount)
        }
    }

    /// The chain of the tar file. Its encryption has the master key's own file key, so that `decrypt` opens it anywhere.
    private func codecs(of request: ArchiveRequest) throws -> CodecChain {
        let registry = session.kit.codecs
        var codecs: [any Codec] = []
        if let compression = request.compression {
            let factory = try registry.factory(.compression, named: compression.name)
            codecs.append(try factory.make(compression.level, KeyRing()))
        }
        if let encryption = request.encryption {
            let factory = try registry.factory(.encryption, named: encryption)
            let master = try masterKeys.key(options.masterKeySource, session).requiredForFiles()
            codecs.append(try factory.make(nil, FileKeys.ring(master, session.kit.cryptography)))
        }
        return CodecChain(codecs)
    }

    private func place(_ destination: ArchiveRequest.Destination) async throws -> any StorageBackend {
        switch destination {
        case .directory(let target), .target(let target): try await open(target)
        case .standardOutput: StreamBackend(descriptor: STDOUT_FILENO, displayName: "standard output")
        }
    }
}

extension RestorePosition {
    /// - Throws: when a tar file of the backup alone does not lead there.
    fileprivate func requireBackupsEnd() throws(UsageError) {
        switch target {
        case nil, .immediate, .current:
            if isInclusive == nil, timeline == nil, action == nil, role == .primary { return }
        default: break
        }
        throw UsageError(
            "an archive holds a backup up to its own end",
            remedy: "Leave the position away, or write 'current'; 'restore' leads to any position.")
    }
}
