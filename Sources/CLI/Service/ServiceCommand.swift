package import BackupEngine

/// A command about one server that the engine's services answer.
package protocol ServiceCommand: UserCommand {
    /// The server's configured name.
    var server: String { get }
}

/// What a service command works with.
struct ServiceContext {
    let session: Session
    let configuration: Configuration
    let service: any BackupService
    let server: ServerSettings
    let targets: [TargetDefinition]
    let replies: BackupReplies
    private let showsProgress: Bool

    init(_ command: some ServiceCommand, _ session: Session) async throws {
        configuration = try session.configuration(command.options)
        self.session = session
        server = try session.server(command.server, in: configuration)
        targets = try session.targets(command.options, of: server, in: configuration)
        service = try await session.service(configuration, command.options)
        replies = BackupReplies(codecs: session.kit.codecs)
        showsProgress = !command.options.noProgress
    }

    /// Runs an operation with its progress on the terminal.
    func withProgress<Result: Sendable>(
        _ activity: String, _ operation: (ProgressCounter) async throws -> Result
    ) async throws -> Result {
        try await session.withProgress(activity, isShown: showsProgress, operation)
    }
}

extension Session {
    /// The engine's services.
    func service(_ configuration: Configuration, _ options: CommonOptions) async throws -> any BackupService {
        try await service(configuration, masterKey: try options.secret.source())
    }

    /// The engine's services.
    /// - Parameter masterKey: where the secret comes from that opens encrypted backups.
    package func service(
        _ configuration: Configuration, masterKey: MasterKeySource
    ) async throws -> any BackupService {
        guard let makeService else {
            throw UsageError("this program has no backup service", remedy: "Use the standard pgmoneta-cli.")
        }
        let options = ServiceOptions(
            configurationPath: configuration.fileName, masterKeySource: masterKey)
        return try await makeService(self, configuration, options)
    }

    /// Runs an operation with its progress on the terminal, if there is one.
    func withProgress<Result: Sendable>(
        _ activity: String, isShown: Bool, _ operation: (ProgressCounter) async throws -> Result
    ) async throws -> Result {
        let counter = ProgressCounter(activity: activity)
        let isVisible = isShown && console.isErrorTerminal
        let reporter = ProgressReporter(write: isVisible ? console.errors : nil, uptime: clock.uptime)
        return try await reporter.show(counter) { try await operation(counter) }
    }
}

extension CommandAnswer {
    /// The Response of a command that looks at several targets: it is done in part where one could not be looked at.
    static func response(_ response: [String: OutputValue], lookedAt targets: [TargetOutcome]) -> CommandAnswer {
        let failed = targets.filter { $0.status == .failed }
        guard !failed.isEmpty else { return .response(response) }
        let error = CommandError(
            .someTargetsFailed, "\(names(failed)) was not looked at",
            remedy: "Correct the target, then run the command again; --target names those to look at.")
        return .failure(response, error, .partial)
    }

    /// The Response of a command that changes something on each target: it is done in part where one failed.
    /// - Parameter summary: makes the error's summary from the names of those that failed.
    static func response(
        _ response: [String: OutputValue], changed targets: [TargetOutcome], _ summary: (String) -> String
    ) -> CommandAnswer {
        let failed = targets.filter { $0.status == .failed }
        guard !failed.isEmpty else { return .response(response) }
        let error = CommandError(
            .someTargetsFailed, summary(names(failed)), remedy: "Correct the target, then type the command again.")
        return .failure(response, error, .partial)
    }

    /// Targets that failed, each with its reason.
    private static func names(_ failed: [TargetOutcome]) -> String {
        failed.map { outcome in outcome.error.map { "\(outcome.target) (\($0))" } ?? outcome.target }
            .joined(separator: ", ")
    }
}
