import BackupAPI
import BackupEngine

extension EngineService {
    func keys(_ request: KeyRequest) async throws -> KeyAnswer {
        try await running(request.command, request.targets.map(\.name).joined(separator: ", ")) {
            let run = try keyRun(request)
            var answer = KeyAnswer(reports: [], targets: [])
            var firstFailure: (any Error)?
            // Where all is as it was asked for: nothing is wrong with that, unless it is so everywhere.
            var settled: [(name: String, store: KeyStore)] = []
            for definition in request.targets {
                do {
                    let store = KeyStore(backend: try await open(definition), cryptography: session.kit.cryptography)
                    do {
                        answer.reports.append((definition.name, try await run(store)))
                    } catch  where error.saysItIsDone(request.action) {
                        settled.append((definition.name, store))
                        throw error
                    }
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
            for (name, store) in settled {
                answer.reports.append((name, try await KeyChange.report(store)))
                answer.targets.replace(with: TargetOutcome(target: name, status: .complete))
            }
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
    /// Whether an action was made before.
    fileprivate func saysItIsDone(_ action: KeyRequest.Action) -> Bool {
        guard let error = self as? EngineError else { return false }
        return switch action {
        case .add: error.reason == .recipientExists
        case .remove: error.reason == .recipientUnknown
        case .list, .rotate: false
        }
    }

    /// Whether there is no repository, or none with encrypted backups.
    fileprivate var saysThereAreNoKeys: Bool {
        guard let error = self as? EngineError else { return false }
        return [.noBackup, .plainRepository].contains(error.reason)
    }
}
