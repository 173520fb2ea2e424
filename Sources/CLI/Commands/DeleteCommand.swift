package import ArgumentParser

/// `delete <server> <identifier>`.
package struct DeleteCommand: ServiceCommand {
    package static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete a backup from every target that has it.")
    package static let name = CommandName.delete

    @OptionGroup package var options: CommonOptions

    @Flag(help: "Delete the backups that build on it too.")
    var cascade = false

    @Argument(help: "The server's name in the configuration.")
    package var server: String

    @Argument(help: "The backup: oldest, newest, latest, a label or its beginning.")
    var identifier: String

    package init() {}

    package var request: [String: OutputValue] {
        ["Backup": .string(identifier), "Cascade": .bool(cascade), "Server": .string(server)]
    }

    package func answer(_ session: Session) async throws -> CommandAnswer {
        let identifier = try BackupIdentifier(identifier)
        let context = try await ServiceContext(self, session)
        let request = DeleteRequest(
            server: context.server, targets: context.targets, identifier: identifier, cascades: cascade)
        let answer = try await context.service.delete(request)
        let response = context.replies.delete(answer)
        let failed = answer.summary.targets.filter { $0.status == .failed }
        guard !failed.isEmpty else { return .response(response) }
        let names = failed.map { outcome in outcome.error.map { "\(outcome.target) (\($0))" } ?? outcome.target }
        let failure = CommandError(
            .someTargetsFailed, "backup \(answer.summary.label) is still on \(names.joined(separator: ", "))",
            remedy: "Correct the target, then type the command again.")
        return .failure(response, failure, .partial)
    }
}
