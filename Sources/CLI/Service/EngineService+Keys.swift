import BackupAPI
import BackupEngine

extension EngineService {
    func keys(_ request: KeyRequest) async throws -> KeyAnswer {
        try await running(request.command, request.targets.map(\.name).joined(separator: ", ")) {
            let run = try keyRun(request)
            var answer = KeyAnswer(reports: [], targets: [])
            var firstFailure: (any Error)?
            for definition in request.targets {
                do {
                    let report = try await run(
                        KeyStore(backend: try await open(definition), cryptography: session.kit.cryptography))
                    answer.reports.append((definition.name, report))
                    answer.targets.append(TargetOutcome(target: definition.name, status: .complete))
                } catch {
                    guard !CommandError.isInterruption(error) else { throw error }
                    firstFailure = firstFailure ?? error
                    let isPassedOver = !request.areTargetsNamed && error.saysThereAreNoKeys
                    answer.targets.append(
                        isPassedOver
                            ? TargetOutcome(target: definition.name, status: .absent)
                            : TargetOutcome(definition.name, failure: error))
                }
            }
            if answer.reports.isEmpty, let firstFailure { throw firstFailure }
            return answer
        }
    }

    /// What is to be done at each target. Secrets and what is random are got once, so that all targets have the same.
    private func keyRun(_ request: KeyRequest) throws -> (KeyStore) async throws -> KeyReport {
        let cryptography = session.kit.cryptography
        let action: KeyChange.Action
        switch request.action {
        case .list: return { try await KeyChange.report($0) }
        case .add(let key, let name): action = .add(try Recipient(key, name: name, cryptography: cryptography))
        case .remove(let recipient, let keepsKey, let others):
            action = .remove(recipient, keepsKey ? nil : try RepositoryKey(cryptography), leavingOut: others)
        case .rotate(let others): action = .rotate(try RepositoryKey(cryptography), leavingOut: others)
        }
        let others = try request.otherSources.map { try masterKeys.key($0, session) }
        let secrets = [try masterKey(isRequired: others.isEmpty)].compactMap(\.self) + others
        let taker = leaseTaker
        return {
            try await KeyChange($0, secrets: secrets, taker: taker).run(action, purpose: request.command.rawValue)
        }
    }
}

extension Error {
    /// Whether there is no repository, or none with encrypted backups.
    fileprivate var saysThereAreNoKeys: Bool {
        guard let error = self as? EngineError else { return false }
        return [.noBackup, .plainRepository].contains(error.reason)
    }
}
