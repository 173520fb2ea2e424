import BackupAPI
import BackupEngine
import Glibc
import Logging

extension EngineService {
    func restore(_ request: RestoreRequest, progress: ProgressCounter) async throws -> RestoreAnswer {
        try await running(.restore, request.server.name, progress) {
            let view = try await view(
                request.server.name, request.targets, for: request.position.choosesBackup ? nil : request.identifier)
            let label = try label(for: request, in: view)
            if let damage = view.damage(of: label) { throw damage }
            let directory = Self.dataDirectory(request, label)
            var summary = view.summary(of: label, codecs: session.kit.codecs)
            for outcome in summary.targets where outcome.status == .failed { warn(outcome) }
            try await fromFirstSource(view.catalogs(with: label), &summary.targets) { catalog in
                try await restore(request, label, from: catalog, to: directory, progress)
            }
            return RestoreAnswer(summary, directory: directory)
        }
    }

    /// Does something with the first target that has the whole backup. What a target gave that turned out to be of no use is
    /// removed before the next one is tried.
    /// - Parameter outcomes: gets the failures of those that were tried in vain.
    /// - Throws: the first target's failure when none was of use; what does not concern the targets at once.
    func fromFirstSource<Result>(
        _ sources: [(target: String, catalog: Catalog)], _ outcomes: inout [TargetOutcome],
        _ body: (Catalog) async throws -> Result
    ) async throws -> Result {
        var firstFailure: (any Error)?
        for (target, catalog) in sources {
            do {
                return try await body(catalog)
            } catch {
                guard error.isOfTarget else { throw error }
                firstFailure = firstFailure ?? error
                let outcome = TargetOutcome(target, failure: error)
                outcomes.replace(with: outcome)
                if target != sources.last?.target { warn(outcome) }
            }
        }
        throw firstFailure ?? EngineError(.noBackup, "no target has it")
    }

    private func restore(
        _ request: RestoreRequest, _ label: BackupLabel, from catalog: Catalog, to directory: String,
        _ progress: ProgressCounter
    ) async throws {
        let cryptography = session.kit.cryptography
        let chain = try await BackupChain.open(
            catalog: catalog, label: label, codecs: session.kit.codecs, cryptography: cryptography,
            workers: Self.workers(request.server))
        let recovery = try await recovery(request, from: chain.newest.record)
        let mapping = Dictionary(request.tablespaceMappings.map { ($0.old, $0.new) }) { $1 }
        let plan = RestorePlan(
            dataDirectory: directory, tablespaceMapping: mapping, existing: request.existing,
            recovery: recovery)
        progress.begin(progress.reading.activity)
        _ = try await RestoreOperation(chain: chain, request: plan, cryptography: cryptography, progress: progress)
            .run()
    }

    /// The data directory that a restore writes: below the directory that was named, or that itself when it is one already and
    /// shall be updated.
    private static func dataDirectory(_ request: RestoreRequest, _ label: BackupLabel) -> String {
        let directory = AbsolutePath.of(request.directory)
        if request.isDataDirectory { return directory }
        if request.existing == .update, unsafe access(directory + "/PG_VERSION", F_OK) == 0 { return directory }
        return directory + "/\(request.server.name)-\(label)"
    }

    func warn(_ outcome: TargetOutcome) {
        Logger.current.warning(
            "a target could not be used as a source",
            metadata: [LogKeys.target: "\(outcome.target)", LogKeys.error: "\(outcome.error ?? "")"])
    }
}

extension Error {
    /// Whether it tells of the place that was read from, so that another one may do.
    fileprivate var isOfTarget: Bool {
        switch self {
        case let error as StorageError: error.reason != .cancelled
        case let error as EngineError:
            error.isDamage
                || [.unsupportedFormat, .masterKeyMissing, .notRecipient, .keyDamaged, .recordUnreadable].contains(
                    error.reason)
        case is CodecError: true
        default: false
        }
    }
}
