import BackupAPI
import BackupEngine
import Logging

/// Runs one command and writes its reply.
package struct CommandRunner: Sendable {
    /// What the command works with.
    package let session: Session

    /// Makes a runner.
    package init(_ session: Session) { self.session = session }

    /// Runs a command to its end.
    /// - Returns: the exit code of the program.
    package func run(_ command: any SessionCommand) async -> ExitCode {
        let start = session.clock.uptime()
        let session = session
        // Progress, which is shown on a terminal only, leaves the cursor behind its line.
        let clearing = session.console.isErrorTerminal ? "\r\u{1B}[K" : ""
        let logger = Logger(label: session.program) { _ in
            ConsoleLogHandler(
                write: { session.console.errors(clearing + $0) }, logLevel: command.isVerbose ? .debug : .notice)
        }
        let answer: CommandAnswer
        do {
            answer = try await withLogger(logger) { _ in try await command.answer(session) }
        } catch {
            let known = CommandError.remediable(error)
            answer = .failure(response(of: command), known, type(of: command).exitCode(for: known))
        }
        switch answer {
        case .silent(let exitCode): return exitCode
        case .document(let text):
            session.console.output(text)
            return .done
        case .response(let response):
            let seconds = Int((session.clock.uptime() - start).components.seconds)
            write(command, .done(seconds: seconds), response)
            return .done
        case .failure(let response, let error, let exitCode):
            write(command, .failed(code: error.code), response)
            report(error)
            return exitCode
        }
    }

    /// What a reply says when a command failed before it had an answer.
    private func response(of command: any SessionCommand) -> [String: OutputValue] {
        var response: [String: OutputValue] = ["ServerVersion": .string(ProgramVersion.text)]
        response["Server"] = command.request["Server"]
        return response
    }

    private func write(_ command: any SessionCommand, _ outcome: Reply.Outcome, _ response: [String: OutputValue]) {
        guard command.isWatched(session) else { return }
        let reply = Reply(
            command: command.replyName, clientVersion: ProgramVersion.text,
            unixSeconds: session.clock.unixSeconds(), outcome: outcome, request: command.request, response: response)
        let console = session.console
        (command.isOutputTaken ? console.errors : console.output)(reply.render(command.format))
    }

    /// Tells the user of an error that ended the program.
    /// - Returns: the exit code of the program.
    package func report(_ error: any Error) -> ExitCode {
        let known = CommandError.remediable(error)
        report(known)
        return ExitCode(for: known)
    }

    /// Writes `error:` and `remedy:`; a faulty configuration is written fault by fault.
    private func report(_ error: any Remediable) {
        if let configuration = error as? ConfigurationError {
            for fault in configuration.faults {
                session.console.errors("error: \(fault.summary)\nremedy: \(fault.remedy)\n")
            }
            return
        }
        session.console.errors("error: \(error.summary)\nremedy: \(error.remedy)\n")
    }
}
