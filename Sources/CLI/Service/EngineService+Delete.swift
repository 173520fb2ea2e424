import BackupAPI
import BackupEngine

extension EngineService {
    func delete(_ request: DeleteRequest) async throws -> DeleteAnswer {
        try await running(.delete, request.server.name) {
            let view = try await view(request.server.name, request.targets, for: request.identifier)
            let label = try view.label(request.identifier)
            var summary = view.summary(of: label, codecs: session.kit.codecs)
            var deleted: [BackupLabel] = []
            var firstFailure: (any Error)?
            for (target, catalog) in view.catalogs(withFolder: label) {
                do {
                    let gone = try await BackupDeletion(catalog: catalog, taker: leaseTaker).run(
                        label, cascades: request.cascades, isForced: request.isForced)
                    deleted += gone.filter { !deleted.contains($0) }
                    summary.targets.replace(with: TargetOutcome(target: target, status: .absent))
                } catch {
                    firstFailure = firstFailure ?? error
                    summary.targets.replace(with: TargetOutcome(target, failure: error))
                }
            }
            if deleted.isEmpty, let firstFailure { throw firstFailure }
            return DeleteAnswer(summary, deleted: deleted.map(\.string))
        }
    }
}
