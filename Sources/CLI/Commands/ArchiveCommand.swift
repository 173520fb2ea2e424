package import ArgumentParser
import BackupAPI
import BackupEngine
import Glibc

/// `archive <server> <identifier> [position] <directory | target | ->`.
package struct ArchiveCommand: ServiceCommand {
    package static let configuration = CommandConfiguration(
        commandName: "archive", abstract: "Make one tar file, <server>-<label>.tar, of a backup and its parents.",
        usage: "pgmoneta-cli archive [<options>] <server> <identifier> [position] <directory|url|->",
        discussion: """
            It holds what a restore would write, below a folder <server>-<label>: tablespaces are folders in pg_tblspc, and the \
            WAL that the backup needs is there. Nothing is staged. Compression and encryption are those of the \
            configuration, and add their suffixes. With '-' the file goes to standard output, and the reply to standard \
            error. The position is 'current' or 'immediate'; both mean the backup's own end.
            """)
    package static let name = CommandName.archive

    @OptionGroup package var options: CommonOptions

    @Flag(help: "Replace a file of that name.")
    var force = false

    @Option(help: "How: none, gzip, zstd, lz4 or bzip2; as the configuration says where it is left out.")
    var compression: String?

    @Option(help: "The compression's level.")
    var level: Int?

    @Option(help: "How, such as aes-256-gcm, or none; as the configuration says where it is left out.")
    var encryption: String?

    @Argument(help: "The server's name in the configuration.")
    package var server: String

    @Argument(help: "The backup: oldest, newest, latest, a label or its beginning.")
    var identifier: String

    @Argument(help: ArgumentHelp("Where it ends, and where it goes.", valueName: "[position] directory|url|-"))
    var rest: [String]

    package init() {}

    package var request: [String: OutputValue] {
        var fields: [String: OutputValue] = [
            "Backup": .string(identifier), "Force": .bool(force), "Server": .string(server),
        ]
        fields["Destination"] = rest.last.map { .string(TargetArgument.shown($0)) }
        fields["Position"] = rest.count == 2 ? .string(rest[0]) : nil
        return fields
    }

    /// The reply does not go where the tar file goes.
    package var isOutputTaken: Bool { rest.last == "-" }

    package func answer(_ session: Session) async throws -> CommandAnswer {
        let identifier = try BackupIdentifier(identifier)
        guard let place = rest.last, !place.isEmpty, rest.count <= 2 else {
            throw UsageError(
                "archive takes one position and one destination",
                remedy: "Write archive <server> <identifier> [position] <directory>.")
        }
        let position = rest.count == 2 ? try RestorePosition(rest[0]) : RestorePosition()
        let context = try await ServiceContext(self, session)
        var request = ArchiveRequest(
            server: context.server, targets: context.targets, identifier: identifier, position: position,
            destination: try destination(place, context), isForced: force)
        request.compression = try chosenCompression(context.server, session)
        let chosen = encryption ?? context.server.encryption
        if let chosen, chosen != "none" {
            request.encryption = try session.kit.codecs.factory(.encryption, named: chosen).name
        }
        let answer = try await context.withProgress("archive \(server)") { [request] in
            try await context.service.archive(request, progress: $0)
        }
        return .response(context.replies.archive(answer))
    }

    private func destination(_ text: String, _ context: ServiceContext) throws -> ArchiveRequest.Destination {
        if text == "-" {
            guard isatty(STDOUT_FILENO) == 0 else {
                throw UsageError(
                    "a tar file is not for a terminal", remedy: "Redirect the output, or name a directory.")
            }
            return .standardOutput
        }
        if text.contains("://") { return .target(try context.session.target(text, in: context.configuration)) }
        let directory = AbsolutePath.of(text)
        var status = stat()
        // Sound: stat(2) fills the structure during the call.
        guard unsafe stat(directory, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw CommandError(
                .fileFailed, "there is no directory '\(directory)'",
                remedy: "Make it, or name another one, a target's URL, or '-' for standard output.")
        }
        return .directory(try context.session.target(directory, in: context.configuration))
    }

    private func chosenCompression(
        _ server: ServerSettings, _ session: Session
    ) throws -> (name: String, level: Int?)? {
        guard let compression else {
            return server.compression.codec.map { ($0, level ?? server.compression.level) }
        }
        guard compression != "none" else { return nil }
        return (try session.kit.codecs.factory(.compression, named: compression).name, level)
    }
}
