package import ArgumentParser
import BackupAPI
import BackupEngine

/// `status [details]`.
package struct StatusCommand: UserCommand {
    package static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show how all servers are; with 'details', each backup too.",
        discussion:
            "The backups are looked at here, on their targets; what is received at the moment is asked of the daemon, "
            + "where one runs.")
    package static let name = CommandName.status

    @OptionGroup package var options: CommonOptions

    @Argument(help: ArgumentHelp("Also show each backup.", valueName: "details"))
    var details: String?

    package init() {}

    package var replyName: CommandName { details == nil ? .status : .statusDetails }
    package var request: [String: OutputValue] { ["Details": .bool(details != nil)] }

    package func answer(_ session: Session) async throws -> CommandAnswer {
        guard details == nil || details == "details" else {
            throw UsageError("'\(details ?? "")' is not known", remedy: "Write status, or status details.")
        }
        let configuration = try session.configuration(options)
        let report = try? DaemonReport(
            json: DaemonClient(path: session.daemonSocket(configuration)).ask(.report))
        var servers: [OutputValue] = []
        var outcomes: [TargetOutcome] = []
        for server in configuration.servers {
            let targets = try session.targets(options, of: server, in: configuration)
            let request = BackupListRequest(
                server: server, targets: targets, order: .ascending, measuresFreeSpace: true)
            let receiver = report?.receivers.first { $0.server == server.name }
            do {
                let list = try await session.service(configuration, options).list(request)
                var shown = fields(server, list, receiver, session)
                shown["Online"] = report.map { .bool(!$0.offline.contains(server.name)) }
                servers.append(.object(shown))
                outcomes += list.targets
            } catch {
                let fault = CommandError.remediable(error)
                servers.append(.object(["Error": .string(fault.summary), "Server": .string(server.name)]))
                outcomes += targets.map { TargetOutcome(target: $0.name, status: .failed, error: fault.summary) }
            }
        }
        var response: [String: OutputValue] = [
            "NumberOfServers": .integer(servers.count), "Servers": .list(servers),
            "ServerVersion": .string(ProgramVersion.text),
        ]
        response["Daemon"] = report.map { .object($0.fields) }
        return .response(response, lookedAt: outcomes)
    }

    private func fields(
        _ server: ServerSettings, _ list: BackupListAnswer, _ receiver: DaemonReport.Receiver?, _ session: Session
    ) -> [String: OutputValue] {
        let replies = BackupReplies(codecs: session.kit.codecs)
        let newest = list.backups.last { $0.validity == .yes }
        var fields: [String: OutputValue] = [
            "NumberOfBackups": .integer(list.backups.count), "Retention": .string(server.retention.text),
            "Server": .string(server.name),
            "ServerSize": .size(list.backups.reduce(0) { $0 + $1.backupByteCount }),
            "Targets": replies.targets(list.targets),
            "ValidBackups": .integer(list.backups.count { $0.validity == .yes }),
        ]
        fields["NewestBackup"] = newest.map { .string($0.label) }
        fields["NewestBackupAge"] = newest.flatMap { BackupLabel($0.label) }.map {
            .elapsed(seconds: session.clock.unixSeconds() - $0.secondsSince1970)
        }
        fields["WAL"] = receiver.map { .object($0.fields) }
        if details != nil { fields["Backups"] = replies.list(list)["Backups"] }
        return fields
    }
}
