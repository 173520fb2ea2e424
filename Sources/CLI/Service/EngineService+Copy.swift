import BackupAPI
import BackupEngine
import Glibc

extension EngineService {
    func copy(_ request: CopyRequest, progress: ProgressCounter) async throws -> CopyAnswer {
        try await running(.copy, request.server.name, progress) {
            let rate = request.server.maximumBytesPerSecond
            let bandwidth = rate > 0 ? BandwidthMeter(bytesPerSecond: rate, clock: layerClock) : nil
            // Only reading is limited: what is not read is not written either.
            let source = try await open(request.source, bandwidth: bandwidth)
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
        let clock = session.clock
        var plan = CopyPlan(
            server: request.server.name, cryptography: session.kit.cryptography, host: Self.hostName,
            process: getpid(), clock: { clock.unixMilliseconds() / 1000 })
        plan.includesParents = request.includesParents
        plan.masterKey = try masterKey(isRequired: false)
        plan.processInstance = HostProcess.instance(of: getpid())
        plan.mayBeAlive = { HostProcess.mayBeAlive($0) }
        return plan
    }
}
