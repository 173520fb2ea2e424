import BackupAPI
import BackupEngine

extension EngineService {
    func delete(_ request: DeleteRequest) async throws -> DeleteAnswer {
        try await withTaskExecutorPreference(pool) {
            let view = try await view(request.server.name, request.targets)
            let label = try view.label(request.identifier)
            var summary = view.summary(of: label, codecs: session.kit.codecs)
            var deleted: [BackupLabel] = []
            var outcomes = summary.targets.filter { $0.status == .absent } + view.failed
            var firstFailure: (any Error)?
            for (target, catalog) in view.catalogs(withFolder: label) {
                do {
                    let gone = try await BackupDeletion(catalog: catalog, taker: leaseTaker).run(
                        label, cascades: request.cascades)
                    deleted += gone.filter { !deleted.contains($0) }
                    outcomes.append(TargetOutcome(target: target, status: .absent))
                } catch {
                    firstFailure = firstFailure ?? error
                    outcomes.append(TargetOutcome(target, failure: error))
                }
            }
            if deleted.isEmpty, let firstFailure { throw firstFailure }
            summary.targets = outcomes.sorted { $0.target < $1.target }
            return DeleteAnswer(summary, deleted: deleted.map(\.string))
        }
    }
}
