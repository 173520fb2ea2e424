package import ArgumentParser
import BackupAPI
import BackupEngine
import Glibc

/// `backup <server> [identifier]`.
package struct BackupCommand: ServiceCommand {
    package static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Take a full backup, or an incremental one on a backup.")
    package static let name = CommandName.backup

    @OptionGroup package var options: CommonOptions

    @Argument(help: "The server's name in the configuration.")
    package var server: String

    @Argument(help: "The backup to build on: oldest, newest, latest, a label or its beginning.")
    var identifier: String?

    package init() {}

    package var request: [String: OutputValue] {
        var fields: [String: OutputValue] = ["Server": .string(server)]
        fields["Backup"] = identifier.map { .string($0) }
        return fields
    }

    package func answer(_ session: Session) async throws -> CommandAnswer {
        var parent: BackupIdentifier?
        if let identifier { parent = try BackupIdentifier(identifier) }
        let context = try await ServiceContext(self, session)
        let request = BackupRequest(server: context.server, targets: context.targets, parent: parent)
        let answer = try await context.withProgress("backup \(server)") {
            try await context.service.backup(request, progress: $0)
        }
        var response = context.replies.backup(answer.summary)
        let copies = try await hotStandbys(of: answer.summary.label, context)
        if !copies.isEmpty { response["HotStandbys"] = .list(copies.map { .object($0.fields) }) }
        guard let failure = Self.failure(answer.summary) ?? copies.lazy.compactMap(\.failure).first else {
            return .response(response)
        }
        return .failure(response, failure, .partial)
    }

    /// How the update of a copy ended.
    private struct HotStandbyOutcome {
        let directory: String
        var error: (any Remediable)?

        var fields: [String: OutputValue] {
            var fields: [String: OutputValue] = [
                "Directory": .string(directory), "Status": .string(error == nil ? "complete" : "failed"),
            ]
            fields["Error"] = error.map { .string($0.summary) }
            return fields
        }

        var failure: CommandError? {
            error.map { CommandError(.hotStandbyFailed, "'\(directory)': \($0.summary)", remedy: $0.remedy) }
        }
    }

    /// Brings the copies that are configured to the state of a backup: those that are there block by block.
    private func hotStandbys(of label: String, _ context: ServiceContext) async throws -> [HotStandbyOutcome] {
        var outcomes: [HotStandbyOutcome] = []
        for copy in context.server.hotStandbys {
            let isThere = unsafe access(copy.dataDirectory + "/PG_VERSION", F_OK) == 0
            var request = RestoreRequest(
                server: context.server, targets: context.targets, identifier: .label(label),
                position: RestorePosition(), directory: copy.dataDirectory, existing: isThere ? .update : .refuse,
                tablespaceMappings: copy.tablespaces.map { TablespaceMapping(old: $0.key, new: $0.value) })
            request.isDataDirectory = true
            do {
                _ = try await context.withProgress("hot standby \(copy.dataDirectory)") { [request] in
                    try await context.service.restore(request, progress: $0)
                }
                outcomes.append(HotStandbyOutcome(directory: copy.dataDirectory))
            } catch {
                // An interruption too: the backup is there, and that is to be told.
                outcomes.append(
                    HotStandbyOutcome(directory: copy.dataDirectory, error: CommandError.remediable(error)))
            }
        }
        return outcomes
    }

    /// The error when the backup is not on every target that was asked for.
    private static func failure(_ summary: BackupSummary) -> CommandError? {
        let failed = summary.targets.filter { $0.status != .complete }
        guard !failed.isEmpty else { return nil }
        let names = failed.map { outcome in outcome.error.map { "\(outcome.target) (\($0))" } ?? outcome.target }
        return CommandError(
            .someTargetsFailed, "backup \(summary.label) is not on \(names.joined(separator: ", "))",
            remedy: "Correct the target, then take another backup or copy this one to it.")
    }
}
