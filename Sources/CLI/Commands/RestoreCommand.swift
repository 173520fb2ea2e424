package import ArgumentParser
import BackupEngine

/// `restore <server> <identifier> [position] <directory>`.
package struct RestoreCommand: ServiceCommand {
    package static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Restore a backup into <directory>/<server>-<label>/.",
        usage: "pgmoneta-cli restore [<options>] <server> <identifier> [position] <directory>",
        discussion: """
            Without a position, the backup is restored to its own end, as with 'immediate' and 'primary'. A position is a \
            list separated by commas: current, name=X, xid=X, lsn=X, time=X, with inclusive=on|off, \
            timeline=X|latest|current, action=pause|promote|shutdown, and replica. It needs the WAL archive, which is looked \
            at first. With lsn= and time=, newest and oldest are the newest and oldest backup that ends before.
            """)
    package static let name = CommandName.restore

    @OptionGroup package var options: CommonOptions

    @Flag(help: "Replace what is in the directory already.")
    var force = false

    @Flag(help: "Update the data directory that is there: keep what is right, rewrite what differs.")
    var delta = false

    @Option(
        name: .long,
        help: ArgumentHelp("Restore a tablespace to another directory; may be repeated.", valueName: "old=new"))
    var tablespaceMapping: [String] = []

    @Argument(help: "The server's name in the configuration.")
    package var server: String

    @Argument(help: "The backup: oldest, newest, latest, a label or its beginning.")
    var identifier: String

    @Argument(help: ArgumentHelp("Where recovery shall end, and the directory.", valueName: "[position] directory"))
    var rest: [String]

    package init() {}

    package var request: [String: OutputValue] {
        var fields: [String: OutputValue] = ["Server": .string(server), "Backup": .string(identifier)]
        fields["Directory"] = rest.last.map { .string($0) }
        fields["Position"] = rest.count == 2 ? .string(rest[0]) : nil
        return fields
    }

    /// The position and the directory.
    package func parsedRest() throws(UsageError) -> (position: RestorePosition, directory: String) {
        guard let directory = rest.last, !directory.isEmpty, rest.count <= 2 else {
            throw UsageError(
                "restore takes one position and one directory",
                remedy: "Write restore <server> <identifier> [position] <directory>.")
        }
        return (rest.count == 2 ? try RestorePosition(rest[0]) : RestorePosition(), directory)
    }

    /// The tablespaces that go elsewhere.
    package func parsedMappings() throws(UsageError) -> [TablespaceMapping] {
        var mappings: [TablespaceMapping] = []
        for text in tablespaceMapping {
            let mapping = try TablespaceMapping(text)
            guard !mappings.contains(where: { $0.old == mapping.old || $0.new == mapping.new }) else {
                throw UsageError(
                    "'\(text)' uses a directory that another mapping uses", remedy: "Map each directory once.")
            }
            mappings.append(mapping)
        }
        return mappings
    }

    package func answer(_ session: Session) async throws -> CommandAnswer {
        let identifier = try BackupIdentifier(identifier)
        let (position, directory) = try parsedRest()
        let mappings = try parsedMappings()
        guard !force || !delta else {
            throw UsageError("--force and --delta contradict each other", remedy: "Leave one of them away.")
        }
        let context = try await ServiceContext(self, session)
        let request = RestoreRequest(
            server: context.server, targets: context.targets, identifier: identifier, position: position,
            directory: directory, existing: delta ? .update : force ? .replace : .refuse,
            tablespaceMappings: mappings, targetOption: options.target)
        let answer = try await context.withProgress("restore \(server)") {
            try await context.service.restore(request, progress: $0)
        }
        return .response(context.replies.restore(answer))
    }
}
