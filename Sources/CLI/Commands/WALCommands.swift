package import ArgumentParser
package import BackupAPI
import BackupEngine

/// A command that PostgreSQL runs for each file of its log. What it prints stands in the server's log, so that it writes no reply
/// unless a person looks at it or asks for a format.
package protocol WALFileCommand: ServiceCommand {}

extension WALFileCommand {
    package func isWatched(_ session: Session) -> Bool { format != .text || session.console.isErrorTerminal }
}

/// `wal-push <server> <path>`: PostgreSQL's `archive_command`.
package struct WALPushCommand: WALFileCommand {
    package static let configuration = CommandConfiguration(
        commandName: "wal-push", abstract: "Archive a file of pg_wal; for PostgreSQL's archive_command.",
        discussion: """
            archive_command = 'pgmoneta-cli wal-push <server> "%p"'. The exit code is 0 when the file is stored on all targets of \
            the server, also where it was already. Another file under the same name is refused.
            """)
    package static let name = CommandName.walPush

    @OptionGroup package var options: CommonOptions

    @Argument(help: "The server's name in the configuration.")
    package var server: String

    @Argument(help: "The file, by the name that PostgreSQL gave it: %p.")
    var path: String

    package init() {}

    package var request: [String: OutputValue] { ["Path": .string(path), "Server": .string(server)] }

    package func answer(_ session: Session) async throws -> CommandAnswer {
        let context = try await ServiceContext(self, session)
        let answer = try await context.service.pushWAL(
            WALPushRequest(server: context.server, targets: context.targets, path: path))
        let response = context.replies.walPush(answer)
        return .response(response, changed: answer.targets) { "the file is not archived on \($0)" }
    }
}

/// `wal-fetch <server> <file> <path>`: PostgreSQL's `restore_command`.
///
/// PostgreSQL takes any exit code from 1 to 125 for "the archive ends here", and may promote then. So 1 means that every target
/// said so, and every fault, also of arguments and configuration, is 255, which ends the recovery.
package struct WALFetchCommand: WALFileCommand {
    package static let configuration = CommandConfiguration(
        commandName: "wal-fetch", abstract: "Fetch a file of the WAL archive; for PostgreSQL's restore_command.",
        discussion: """
            restore_command = 'pgmoneta-cli wal-fetch <server> %f "%p"'. The exit code is 0 when the file is there, 1 when the \
            archive does not have it, and 255 for everything else: PostgreSQL stops then, and does not take a fault for the \
            end of the archive.
            """)
    package static let name = CommandName.walFetch

    @OptionGroup package var options: CommonOptions

    @Option(
        help: ArgumentHelp(
            "How many segments a process of its own keeps ready behind one, 0 to 16.", valueName: "number"))
    var ahead = 8

    @Option(
        help: ArgumentHelp(
            "Where they wait; by default .pgmoneta-spool beside the file that is written.", valueName: "folder"))
    var spool: String?

    @Argument(help: "The server's name in the configuration.")
    package var server: String

    @Argument(help: "The file's name: %f.")
    var file: String

    @Argument(help: "Where it is written: %p.")
    var path: String

    package init() {}

    package static func exitCode(for error: any Remediable) -> ExitCode {
        (error as? EngineError)?.reason == .walAbsent ? .failed : .stop
    }

    package static var exitCodeAtOnce: ExitCode { .stop }

    package var request: [String: OutputValue] {
        ["File": .string(file), "Path": .string(path), "Server": .string(server)]
    }

    package func answer(_ session: Session) async throws -> CommandAnswer {
        guard let name = WALFileName(file) else {
            throw UsageError(
                "'\(file)' is not a name that PostgreSQL gives to what it archives",
                remedy: "Write wal-fetch <server> %f \"%p\" in restore_command.")
        }
        guard (0...16).contains(ahead) else {
            throw UsageError("--ahead \(ahead) is not allowed", remedy: "Allowed: 0 to 16.")
        }
        let context = try await ServiceContext(self, session)
        let isThere = try await context.service.fetchWAL(
            WALFetchRequest(
                server: context.server, targets: context.targets, name: name, path: path, aheadCount: ahead,
                spoolFolder: spool, inheritedLock: Companion.inheritedFile(session.environment)))
        if isThere {
            var response = context.replies.common(ServerIdentity(name: server))
            response["File"] = .string(file)
            return .response(response)
        }
        guard isWatched(session) else { return .silent(.failed) }
        throw EngineError(.walAbsent, "'\(file)' of '\(server)'")
    }
}

/// `wal`: what the WAL archive has.
package struct WALCommands: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "wal", abstract: "Look at the WAL archive.", subcommands: [List.self])

    package init() {}

    /// `wal ls <server>`.
    package struct List: ServiceCommand {
        package static let configuration = CommandConfiguration(
            commandName: "ls", abstract: "List the WAL archive by timelines, with what is missing.")
        package static let name = CommandName.walList

        @OptionGroup package var options: CommonOptions

        @Argument(help: "The server's name in the configuration.")
        package var server: String

        package init() {}

        package var request: [String: OutputValue] { ["Server": .string(server)] }

        package func answer(_ session: Session) async throws -> CommandAnswer {
            let context = try await ServiceContext(self, session)
            let answer = try await context.service.listWAL(
                WALListRequest(server: context.server, targets: context.targets))
            return .response(context.replies.walList(answer, server: context.server), lookedAt: answer.targets)
        }
    }
}
