package import ArgumentParser
import BackupEngine

/// `retention <server> [--dry-run]`.
package struct RetentionCommand: ServiceCommand {
    package static let configuration = CommandConfiguration(
        commandName: "retention", abstract: "Delete the backups that the retention policy does not keep.")
    package static let name = CommandName.retention

    @OptionGroup package var options: CommonOptions

    @Flag(help: "Say what would go and why, and delete nothing.")
    var dryRun = false

    @Argument(help: "The server's name in the configuration.")
    package var server: String

    package init() {}

    package var request: [String: OutputValue] { ["DryRun": .bool(dryRun), "Server": .string(server)] }

    package func answer(_ session: Session) async throws -> CommandAnswer {
        let context = try await ServiceContext(self, session)
        let request = RetentionRequest(server: context.server, targets: context.targets, isDryRun: dryRun)
        let answer = try await context.service.retain(request)
        let response = context.replies.retention(answer, server: context.server, isDryRun: dryRun)
        return .response(response, changed: answer.targets) { "retention was not applied on \($0)" }
    }
}
