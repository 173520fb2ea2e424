import ArgumentParser
public import BackupCLI
import BackupEngine
import FoundationEssentials
import Glibc
import Logging
import ServiceLifecycle
import UnixSignals

/// The daemon as a program: reads its arguments and the configuration, and runs until it is told to stop.
///
/// One with a backend of its own is `DaemonInterface(kit: kit).run()` in its `main`.
public struct DaemonInterface: Sendable {
    private let kit: Kit

    /// Makes the program from its parts.
    public init(kit: Kit) { self.kit = kit }

    /// Runs the process's command line, and ends the process.
    public func run() async -> Never {
        signal(SIGPIPE, SIG_IGN)
        // Spool, socket and log are for the daemon's user alone.
        umask(0o077)
        let console = Console.standard
        let arguments: DaemonArguments
        do {
            arguments = try DaemonArguments.parse()
        } catch {
            let isHelp = DaemonArguments.exitCode(for: error) == .success
            (isHelp ? console.output : console.errors)(DaemonArguments.fullMessage(for: error) + "\n")
            _exit(isHelp ? ExitCode.done.rawValue : ExitCode.usage.rawValue)
        }
        let session = Session(
            program: "pgmoneta", kit: kit, environment: ProcessInfo.processInfo.environment, clock: .system,
            console: console, makeService: ServiceWiring.makeService)
        do {
            try await run(Daemon(session: session, arguments: arguments))
            _exit(ExitCode.done.rawValue)
        } catch {
            _exit(CommandRunner(session).report(error).rawValue)
        }
    }

    private func run(_ daemon: Daemon) async throws {
        _ = try daemon.arguments.secret.lastingSource()
        let configuration = try daemon.configuration()
        let logger = try DaemonLog.logger(configuration.global.log, console: daemon.session.console)
        let pidFile = try configuration.global.pidFile.map { try PidFile($0) }
        defer { pidFile?.remove() }
        try await withLogger(logger) { logger in
            try await ServiceGroup(
                configuration: .init(
                    services: [.init(service: daemon, successTerminationBehavior: .gracefullyShutdownGroup)],
                    gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
            ).run()
        }
    }
}

/// What the daemon takes on its command line.
struct DaemonArguments: ParsableArguments, Sendable {
    @Option(name: [.short, .long], help: ArgumentHelp("The configuration file.", valueName: "file"))
    var config: String?

    @OptionGroup var secret: SecretOptions
}
