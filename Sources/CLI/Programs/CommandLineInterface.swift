import ArgumentParser
import BackupEngine
import FoundationEssentials
import Glibc

/// A whole program: reads the arguments, runs the command, ends the process with the exit code.
///
/// A program with a backend of its own is `CommandLineInterface(kit: kit).run()` in its `main`.
public struct CommandLineInterface: Sendable {
    /// The programs.
    public enum Program: Sendable {
        /// `pgmoneta-cli`.
        case user
        /// `pgmoneta-admin`.
        case administration
    }

    private let kit: Kit
    private let program: Program

    /// Makes the program from its parts.
    public init(kit: Kit, program: Program = .user) {
        self.kit = kit
        self.program = program
    }

    /// Runs the process's command line on other threads while the main thread waits for signals.
    ///
    /// It is the first and last thing in a `main` that is not asynchronous. The main actor does nothing in these programs.
    public func run() -> Never {
        signal(SIGPIPE, SIG_IGN)
        Companion.leaveSession(ProcessInfo.processInfo.environment)
        MemoryUse.keepSmall()
        let console = Console.standard
        switch CommandTree(program: program).parse(Array(CommandLine.arguments.dropFirst())) {
        case .text(let text, let exitCode):
            (exitCode == .done ? console.output : console.errors)(text)
            exit(exitCode.rawValue)
        case .command(let command):
            run(command, console)
        }
    }

    private func run(_ command: any SessionCommand, _ console: Console) -> Never {
        let session = Session(
            program: program.name, kit: kit, environment: ProcessInfo.processInfo.environment, clock: .system,
            console: console, makeService: ServiceWiring.makeService, startCompanion: Companion.start)
        // Administration does short things that clean up nothing, and ^C just ends it.
        if program == .user { Interruption.blockSignals() }
        let work = Task.detached {
            let exitCode = await CommandRunner(session).run(command)
            // Not `exit`: what C libraries do then, as OpenSSL does when it frees its tables, meets threads that are just ending and
            // free their parts (seen once in some thousand runs as a double free). Nothing is buffered here.
            _exit(Companion.exitCode(exitCode, session.environment).rawValue)
        }
        guard program == .user else { while true { pause() } }
        Interruption.waitForSignals(exitCodeAtOnce: type(of: command).exitCodeAtOnce) {
            console.errors("interrupted: cleaning up; ^C again stops at once\n")
            work.cancel()
        }
    }
}

extension CommandLineInterface.Program {
    /// The name of the executable.
    package var name: String {
        switch self {
        case .user: "pgmoneta-cli"
        case .administration: "pgmoneta-admin"
        }
    }
}
