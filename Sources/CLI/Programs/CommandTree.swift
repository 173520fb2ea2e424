import ArgumentParser

/// Turns arguments into a command, or into what is to be written instead.
package struct CommandTree: Sendable {
    /// What the arguments ask for.
    package enum Parsed: Sendable {
        case command(any SessionCommand)
        /// Help, the version, or what is wrong with the arguments.
        case text(String, ExitCode)
    }

    private let program: CommandLineInterface.Program

    /// Makes the tree of a program.
    package init(program: CommandLineInterface.Program) { self.program = program }

    /// Reads the arguments without the program's name.
    package func parse(_ arguments: [String]) -> Parsed {
        // Needs nothing else to be right, so that it always answers, and at once.
        if arguments.prefix(while: { $0 != "--" }).contains(where: { $0 == "-V" || $0 == "--version" }) {
            return .text("\(program.name) \(ProgramVersion.text)\n", .done)
        }
        return switch program {
        // PostgreSQL must not take arguments that do not fit for the end of its archive.
        case .user where arguments.contains(WALFetchCommand.name.rawValue):
            parse(arguments, UserProgram.self, unfit: .stop)
        case .user: parse(arguments, UserProgram.self)
        case .administration: parse(arguments, AdministrationProgram.self)
        }
    }

    private func parse<Root: ParsableCommand>(
        _ arguments: [String], _ root: Root.Type, unfit: ExitCode = .usage
    ) -> Parsed {
        do {
            var command = try root.parseAsRoot(arguments)
            if let command = command as? any SessionCommand { return .command(command) }
            let name = type(of: command)._commandName
            // The library's own help command gives its text by throwing it.
            if name == "help" { try command.run() }
            let help = root.helpMessage(for: type(of: command))
            let problem = name == root._commandName ? "a command is needed" : "'\(name)' needs a command behind it"
            return .text("error: \(problem)\n\n\(help)\n", unfit)
        } catch {
            let full = root.fullMessage(for: error)
            guard root.exitCode(for: error) != .success else { return .text(full + "\n", .done) }
            let usage = full.split(separator: "\n").first { $0.hasPrefix("Usage: ") }
            let remedy = usage.map { "\($0)" } ?? "\(program.name) --help shows the commands."
            return .text("error: \(root.message(for: error))\nremedy: \(remedy)\n", unfit)
        }
    }
}
