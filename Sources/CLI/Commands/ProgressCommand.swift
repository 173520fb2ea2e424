package import ArgumentParser

/// `progress <server>`.
package struct ProgressCommand: ServiceCommand {
    package static let configuration = CommandConfiguration(
        commandName: "progress", abstract: "Show how far the backup is that a server sends at the moment.",
        discussion: "PostgreSQL itself is asked, so that it does not matter where the backup was started.")
    package static let name = CommandName.progress

    @OptionGroup package var options: CommonOptions

    @Argument(help: "The server's name in the configuration.")
    package var server: String

    package init() {}

    package var request: [String: OutputValue] { ["Server": .string(server)] }

    package func answer(_ session: Session) async throws -> CommandAnswer {
        let context = try await ServiceContext(self, session)
        let answer = try await context.service.progress(ServerRequest(server: context.server))
        return .response(context.replies.progress(answer, server: context.server))
    }
}
