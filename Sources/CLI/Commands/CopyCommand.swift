package import ArgumentParser
import BackupEngine

/// `copy <server> <identifier> --from <target> --to <target>`.
package struct CopyCommand: ServiceCommand {
    package static let configuration = CommandConfiguration(
        commandName: "copy", abstract: "Copy a backup to another target, as it is stored.",
        discussion:
            "Nothing is decoded; every object is compared with its SHA-512. A copy that was interrupted goes on "
            + "when the command is typed again.")
    package static let name = CommandName.copy

    @OptionGroup package var options: CommonOptions

    @Argument(help: "The server's name in the configuration.")
    package var server: String

    @Argument(help: "The backup: oldest, newest, latest, a label or its beginning.")
    var identifier: String

    @Option(help: ArgumentHelp("The target that has the backup.", valueName: "name|url"))
    var from: String

    @Option(help: ArgumentHelp("The target that is to have it.", valueName: "name|url"))
    var to: String

    @Flag(help: "Copy the parents of an incremental backup too, where they are missing.")
    var chain = false

    package init() {}

    package var request: [String: OutputValue] {
        [
            "Backup": .string(identifier), "Chain": .bool(chain), "From": .string(TargetArgument.shown(from)),
            "Server": .string(server), "To": .string(TargetArgument.shown(to)),
        ]
    }

    package func answer(_ session: Session) async throws -> CommandAnswer {
        let identifier = try BackupIdentifier(identifier)
        guard options.targets.isEmpty else {
            throw UsageError("copy does not take --target", remedy: "Name the targets with --from and --to.")
        }
        let context = try await ServiceContext(self, session)
        let source = try session.target(from, in: context.configuration)
        let destination = try session.target(to, in: context.configuration)
        guard source.location != destination.location else {
            throw UsageError(
                "'\(from)' and '\(to)' are the same place", remedy: "Name two targets with --from and --to.")
        }
        let request = CopyRequest(
            server: context.server, source: source, destination: destination, identifier: identifier,
            includesParents: chain)
        let answer = try await context.withProgress("copy \(server)") {
            try await context.service.copy(request, progress: $0)
        }
        return .response(context.replies.copy(answer))
    }
}
