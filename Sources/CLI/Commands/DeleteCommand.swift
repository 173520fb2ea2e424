package import ArgumentParser

/// `delete <server> <identifier>`.
package struct DeleteCommand: ServiceCommand {
    package static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete a backup from every target that has it.")
    package static let name = CommandName.delete

    @OptionGroup package var options: CommonOptions

    @Flag(help: "Delete the backups that build on it too.")
    var cascade = false

    @Flag(help: "Delete kept backups too.")
    var force = false

    @Argument(help: "The server's name in the configuration.")
    package var server: String

    @Argument(help: "The backup: oldest, newest, latest, a label or its beginning.")
    var identifier: String

    package init() {}

    package var request: [String: OutputValue] {
        [
            "Backup": .string(identifier), "Cascade": .bool(cascade), "Force": .bool(force), "Server": .string(server),
        ]
    }

    package func answer(_ session: Session) async throws -> CommandAnswer {
        let identifier = try BackupIdentifier(identifier)
        let context = try await ServiceContext(self, session)
        let request = DeleteRequest(
            server: context.server, targets: context.targets, identifier: identifier, cascades: cascade,
            isForced: force)
        let answer = try await context.service.delete(request)
        let response = context.replies.delete(answer)
        return .response(response, changed: answer.summary.targets) {
            "backup \(answer.summary.label) is still on \($0)"
        }
    }
}
