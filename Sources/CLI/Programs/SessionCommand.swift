package import ArgumentParser
package import BackupAPI

/// A command that the runner can run.
package protocol SessionCommand: ParsableCommand, Sendable {
    /// Its name and number in replies.
    static var name: CommandName { get }
    /// How its reply is written.
    var format: OutputFormat { get }
    /// Whether it logs what it does.
    var isVerbose: Bool { get }
    /// Whether standard output is the result itself; then the reply goes to the errors.
    var isOutputTaken: Bool { get }
    /// What was asked for, as the reply repeats it.
    var request: [String: OutputValue] { get }
    /// The exit code for an error that ended it.
    static func exitCode(for error: any Remediable) -> ExitCode
    /// The exit code when it is ended at once, by a second signal.
    static var exitCodeAtOnce: ExitCode { get }
    /// The name that its reply has.
    var replyName: CommandName { get }
    /// Whether somebody reads its reply.
    func isWatched(_ session: Session) -> Bool
    /// Does the work.
    func answer(_ session: Session) async throws -> CommandAnswer
}

extension SessionCommand {
    package var isOutputTaken: Bool { false }
    package var replyName: CommandName { Self.name }
    /// The reply is what most commands are typed for.
    package func isWatched(_ session: Session) -> Bool { true }

    /// What the error says.
    package static func exitCode(for error: any Remediable) -> ExitCode { ExitCode(for: error) }

    /// As for any failure.
    package static var exitCodeAtOnce: ExitCode { .failed }

    /// The command for its own arguments, without a command tree around it.
    /// - Throws: the parser's error when they do not fit.
    package static func make(from arguments: [String]) throws -> Self { try parse(arguments) }
}

/// What a command gives to be written.
package enum CommandAnswer: Sendable {
    /// The Response of a reply.
    case response([String: OutputValue])
    /// The Response of a reply that says what went wrong, with the error and the exit code.
    case failure([String: OutputValue], any Remediable, ExitCode)
    /// Nothing; only the exit code tells.
    case silent(ExitCode)
    /// Text that is itself the result, such as a starter configuration.
    case document(String)
}
