package import ArgumentParser

extension SortOrder: ExpressibleByArgument {}

/// `list-backup <server> [--sort asc|desc]`.
package struct ListBackupCommand: ServiceCommand {
    package static let configuration = CommandConfiguration(
        commandName: "list-backup", abstract: "List the backups of a server.")
    package static let name = CommandName.listBackup

    @OptionGroup package var options: CommonOptions

    @Argument(help: "The server's name in the configuration.")
    package var server: String

    @Option(name: [.short, .long], help: "Oldest first (asc) or newest first (desc).")
    var sort: SortOrder?

    package init() {}

    package var request: [String: OutputValue] {
        var fields: [String: OutputValue] = ["Server": .string(server)]
        fields["Sort"] = sort.map { .string($0.rawValue) }
        return fields
    }

    package func answer(_ session: Session) async throws -> CommandAnswer {
        let context = try await ServiceContext(self, session)
        let request = BackupListRequest(server: context.server, targets: context.targets, order: sort ?? .ascending)
        let answer = try await context.service.list(request)
        return .response(context.replies.list(answer), lookedAt: answer.targets)
    }
}
