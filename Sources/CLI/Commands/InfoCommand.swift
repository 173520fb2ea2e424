package import ArgumentParser

/// `info <server> <identifier>`.
package struct InfoCommand: ServiceCommand {
    package static let configuration = CommandConfiguration(
        commandName: "info", abstract: "Show everything about a backup.")
    package static let name = CommandName.info

    @OptionGroup package var options: CommonOptions

    @Argument(help: "The server's name in the configuration.")
    package var server: String

    @Argument(help: "The backup: oldest, newest, latest, a label or its beginning.")
    var identifier: String

    package init() {}

    package var request: [String: OutputValue] { ["Server": .string(server), "Backup": .string(identifier)] }

    package func answer(_ session: Session) async throws -> CommandAnswer {
        let identifier = try BackupIdentifier(identifier)
        let context = try await ServiceContext(self, session)
        let request = InfoRequest(server: context.server, targets: context.targets, identifier: identifier)
        return .response(context.replies.info(try await context.service.info(request).summary))
    }
}
