import BackupAPI
import BackupEngine
import Glibc

extension EngineService {
    func copy(_ request: CopyRequest, progress: ProgressCounter) async throws -> CopyAnswer {
        try await running(.copy, request.server.name, progress) {
            // Only reading is limited: what is not read is not written either.
            let source = try await open(request.source, bandwidth: bandwidth(request.server.maximumBytesPerSecond))
            let destination = try await open(request.destination)
            let operation = BackupCopy(plan: try copyPlan(request), from: source, to: destination, progress: progress)
            let outcome = try await operation.run(request.identifier.description)
            var summary = BackupSummary(outcome.record, codecs: session.kit.codecs)
            summary.targets = [TargetOutcome(target: request.destination.name, status: .complete)]
            return CopyAnswer(
                summary, source: request.source.name, destination: request.destination.name,
                copiedByteCount: outcome.copiedByteCount, skippedObjectCount: outcome.skippedObjectCount)
        }
    }

    private func copyPlan(_ request: CopyRequest) throws -> CopyPlan {
        var plan = CopyPlan(
            server: request.server.name, cryptography: session.kit.cryptography, taker: leaseTaker)
        plan.includesParents = request.includesParents
        plan.masterKey = try masterKey(isRequired: false)
        return plan
    }
}
