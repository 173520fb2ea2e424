package import ArgumentParser

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
        let response = context.replies.backup(answer.summary)
        guard let failure = Self.failure(answer.summary) else { return .response(response) }
        return .failure(response, failure, .partial)
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
