import BackupCLI
import BackupEngine

extension DaemonState.Server {
    /// What a person should look after, the worst first.
    var troubles: [String] {
        var troubles: [String] = []
        let list = backups?.backups ?? []
        if isOnline, isAnswering == false { troubles.append("PostgreSQL does not answer") }
        if backups != nil, !list.contains(where: { $0.validity == .yes }) {
            troubles.append("there is no valid backup")
        }
        troubles += list.filter { $0.validity == .no }.map { "backup \($0.label) is damaged" }
        if let fault { troubles.append("the backups cannot be looked at: \(fault)") }
        for target in backups?.targets ?? [] where target.status == .failed {
            troubles.append("target \(target.target): \(target.error ?? "it cannot be looked at")")
        }
        for backup in list where backup.validity == .yes {
            troubles += backup.targets.filter { $0.status == .failed && $0.error != nil && isSeen }
                .map { "backup \(backup.label) on \($0.target): \($0.error ?? "")" }
        }
        guard let receiver else { return troubles }
        if receiver.gapCount > 0 {
            troubles.append("WAL is missing: it was gone from the server before it came; take a full backup")
        }
        if let fault = receiver.streamFault { troubles.append("WAL is not received: \(fault)") }
        if let fault = receiver.uploadFault { troubles.append("WAL waits to be stored: \(fault)") }
        return troubles
    }
}
