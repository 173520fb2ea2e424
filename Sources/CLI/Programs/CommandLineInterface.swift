import ArgumentParser
import FoundationEssentials
import Glibc

/// A whole program: reads the arguments, runs the command, ends the process with the exit code.
///
/// A program with a backend of its own is `await CommandLineInterface(kit: kit).run()` in its `main`.
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

    /// Runs the process's command line; call it first in `main`.
    public func run() async -> Never {
        signal(SIGPIPE, SIG_IGN)
        let arguments = Array(CommandLine.arguments.dropFirst())
        let console = Console.standard
        let parsed = CommandTree(program: program).parse(arguments)
        switch parsed {
        case .text(let text, let exitCode):
            (exitCode == .done ? console.output : console.errors)(text)
            exit(exitCode.rawValue)
        case .command(let command):
            exit(await run(command, console).rawValue)
        }
    }

    private func run(_ command: any SessionCommand, _ console: Console) async -> ExitCode {
        let session = Session(
            program: program.name, kit: kit, environment: ProcessInfo.processInfo.environment, clock: .system,
            console: console, makeService: ServiceWiring.makeService)
        // Administration does short things that must not stop half-way, and asks at the terminal.
        guard program == .user else { return await CommandRunner(session).run(command) }
        Interruption.blockSignals()
        let work = Task { @concurrent in await CommandRunner(session).run(command) }
        Interruption.watch {
            console.errors("interrupted: cleaning up; ^C again stops at once\n")
            work.cancel()
        }
        return await work.value
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
