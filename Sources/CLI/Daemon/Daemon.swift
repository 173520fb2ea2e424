import BackupAPI
import BackupCLI
import BackupEngine
import Logging
import ServiceLifecycle
import UnixSignals

/// What the daemon is told to do.
enum DaemonEvent: Sendable { case reload, changeMode, stop }

/// The daemon's work: a receiver for each server with a slot, the scheduled work, and the page that shows it.
///
/// SIGHUP reads the configuration again and begins all work anew with it; one that is faulty is refused, and the work goes on as
/// it was.
struct Daemon: Service {
    let session: Session
    let arguments: DaemonArguments
    let state = DaemonState()

    /// Reads the configuration.
    func configuration() throws -> Configuration {
        let configuration = try session.checkedConfiguration(path: arguments.config)
        guard !configuration.servers.isEmpty else {
            throw CommandError(
                .unknownServer, "there is no server in \(configuration.fileName)",
                remedy: "Add a section with host and user.")
        }
        return configuration
    }

    func run() async throws {
        let configuration = try configuration()
        let events = Mailbox<DaemonEvent>()
        let management = ManagementServer(path: try session.daemonSocket(configuration), state: state) {
            events.send($0)
        }
        try management.requireAlone()
        ServiceManager.notify("READY=1", session.environment)
        defer { ServiceManager.notify("STOPPING=1", session.environment) }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await management.run()
                return false
            }
            group.addTask {
                for await _ in await UnixSignalsSequence(trapping: .sighup) { events.send(.reload) }
                return false
            }
            group.addTask {
                if (try? await gracefulShutdown()) != nil { events.send(.stop) }
                return false
            }
            group.addTask {
                try await work(configuration, until: events)
                return true
            }
            while try await group.next() == false {}
            group.cancelAll()
        }
        Logger.current.notice("the daemon ends")
    }

    /// Works, and begins anew at each reload, until it is to stop.
    private func work(_ first: Configuration, until events: Mailbox<DaemonEvent>) async throws {
        var configuration = first
        while true {
            let names = configuration.servers.map(\.name).joined(separator: ",")
            Logger.current.notice("the daemon begins", metadata: [DaemonLogKeys.servers: "\(names)"])
            let current = configuration
            let event = try await withThrowingTaskGroup(of: DaemonEvent?.self) { group in
                group.addTask {
                    try await serve(current)
                    return nil
                }
                group.addTask { try await events.next() }
                let event = try await group.next() ?? nil
                group.cancelAll()
                return event
            }
            if event == .changeMode { continue }
            guard event == .reload else { return }
            do {
                configuration = try self.configuration()
            } catch {
                Logger.current.error(
                    "the configuration was not read again; the old one counts",
                    metadata: [DaemonLogKeys.error: "\(CommandError.remediable(error).summary)"])
            }
        }
    }

    private func serve(_ configuration: Configuration) async throws {
        let context = DaemonContext(session: session, configuration: configuration, arguments: arguments, state: state)
        state.begin(configuration.servers.map(\.name))
        let global = configuration.global
        try await withThrowingTaskGroup(of: Void.self) { group in
            for server in context.onlineServers where server.walSlot != nil {
                group.addTask { await ReceiverKeeper(context: context).run(server) }
            }
            group.addTask { await CatalogWatch(context: context).run() }
            if global.verificationIntervalInSeconds > 0 {
                group.addTask { await VerificationSchedule(context: context).run() }
            }
            if global.retentionIntervalInSeconds > 0 {
                group.addTask { await RetentionSchedule(context: context).run() }
            }
            if global.metricsPort > 0 {
                group.addTask { try await StatusServer(configuration: configuration, state: state).run() }
            }
            while try await group.next() != nil {}
        }
    }
}

/// What all of the daemon's work needs.
struct DaemonContext: Sendable {
    let session: Session
    let configuration: Configuration
    let arguments: DaemonArguments
    let state: DaemonState

    /// The engine's services; each operation gets its own.
    func service() async throws -> any BackupService {
        try await session.service(configuration, masterKey: arguments.secret.lastingSource())
    }

    /// The servers that the daemon works for.
    var onlineServers: [ServerSettings] { configuration.servers.filter { state.isOnline($0.name) } }

    /// Where the backups of a server are.
    func targets(_ server: ServerSettings) -> [TargetDefinition] { configuration.targets(of: server) }

    /// Waits.
    /// - Returns: false when the work is to end.
    static func wait(seconds: Int) async -> Bool { (try? await Task.sleep(for: .seconds(seconds))) != nil }
}

/// Names of metadata in the daemon's log.
enum DaemonLogKeys {
    static let server = "server"
    static let servers = "servers"
    static let backup = "backup.label"
    static let target = "target"
    static let files = "files"
    static let error = "error"
}
