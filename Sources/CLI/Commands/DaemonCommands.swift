package import ArgumentParser

/// A command that asks the daemon.
package protocol DaemonCommand: UserCommand {}

extension DaemonCommand {
    package var request: [String: OutputValue] { [:] }

    /// Asks the daemon of the configuration.
    func ask(_ session: Session, _ request: DaemonClient.Request) throws -> [UInt8] {
        try DaemonClient(path: session.daemonSocket(session.configuration(options))).ask(request)
    }
}

/// `ping`.
package struct PingCommand: DaemonCommand {
    package static let configuration = CommandConfiguration(
        commandName: "ping", abstract: "Say whether the daemon answers.")
    package static let name = CommandName.ping

    @OptionGroup package var options: CommonOptions

    package init() {}

    package func answer(_ session: Session) async throws -> CommandAnswer {
        let report = try DaemonReport(json: try ask(session, .report))
        return .response(report.fields)
    }
}

/// `shutdown`.
package struct ShutdownCommand: DaemonCommand {
    package static let configuration = CommandConfiguration(
        commandName: "shutdown", abstract: "End the daemon in good order.")
    package static let name = CommandName.shutdown

    @OptionGroup package var options: CommonOptions

    package init() {}

    package func answer(_ session: Session) async throws -> CommandAnswer {
        _ = try ask(session, .shutdown)
        return .response(["ServerVersion": .string(ProgramVersion.text)])
    }
}

/// `mode <server> online|offline`.
package struct ModeCommand: DaemonCommand {
    package static let configuration = CommandConfiguration(
        commandName: "mode", abstract: "Let the daemon leave a server alone, or work for it again.",
        discussion: "Of a server that is offline nothing is received, verified or removed. Commands still work.")
    package static let name = CommandName.mode

    /// What the daemon does for the server.
    enum Mode: String, ExpressibleByArgument, CaseIterable, Sendable { case online, offline }

    @OptionGroup package var options: CommonOptions

    @Argument(help: "The server's name in the configuration.")
    var server: String

    @Argument(help: "online or offline.")
    var mode: Mode

    package init() {}

    package var request: [String: OutputValue] { ["Mode": .string(mode.rawValue), "Server": .string(server)] }

    package func answer(_ session: Session) async throws -> CommandAnswer {
        _ = try session.server(server, in: session.configuration(options))
        _ = try ask(session, .mode(server: server, isOnline: mode == .online))
        return .response([
            "Online": .bool(mode == .online), "Server": .string(server), "ServerVersion": .string(ProgramVersion.text),
        ])
    }
}

/// `conf reload`.
package struct ConfigurationReloadCommand: DaemonCommand {
    package static let configuration = CommandConfiguration(
        commandName: "reload", abstract: "Let the daemon read the configuration again.")
    package static let name = CommandName.configurationReload

    @OptionGroup package var options: CommonOptions

    package init() {}

    package func answer(_ session: Session) async throws -> CommandAnswer {
        // A faulty one is refused here, where somebody reads why.
        _ = try session.checkedConfiguration(options)
        _ = try ask(session, .reload)
        return .response(["ServerVersion": .string(ProgramVersion.text)])
    }
}

extension DaemonReport {
    /// The daemon itself.
    var fields: [String: OutputValue] {
        [
            "ProcessID": .integer(Int(process)), "ServerVersion": .string(version),
            "Uptime": .elapsed(seconds: uptimeInSeconds),
        ]
    }
}

extension DaemonReport.Receiver {
    /// How far the WAL of the server is.
    var fields: [String: OutputValue] {
        var fields: [String: OutputValue] = [
            "Faults": .list(faults.map { .string($0) }), "Gaps": .integer(gapCount), "Received": .string(received),
            "Safe": .string(safe), "Streaming": .bool(isStreaming), "Timeline": .integer(Int(timeline)),
            "WaitingFiles": .integer(waitingCount), "WaitingSize": .size(waitingByteCount),
        ]
        fields["LastArchived"] = archived.map { .string($0) }
        return fields
    }
}
