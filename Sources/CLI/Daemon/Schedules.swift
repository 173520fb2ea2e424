import BackupAPI
import BackupCLI
import BackupEngine
import Glibc
import Logging

/// Looks at all backups from time to time, so that a look at the status page costs no call to a target.
struct CatalogWatch: Sendable {
    private static let pauseInSeconds = 30
    let context: DaemonContext

    func run() async {
        repeat {
            for server in context.configuration.servers {
                await askWhetherOnline(server)
                await look(server)
            }
        } while await DaemonContext.wait(seconds: Self.pauseInSeconds)
    }

    private func askWhetherOnline(_ server: ServerSettings) async {
        guard let isAnswering = try? await context.service().isOnline(ServerRequest(server: server)), !Task.isCancelled,
            context.state.note(server.name, isAnswering: isAnswering)
        else { return }
        let subject: Logger.Metadata = [DaemonLogKeys.server: "\(server.name)"]
        if isAnswering {
            Logger.current.notice("PostgreSQL answers again", metadata: subject)
        } else {
            Logger.current.warning("PostgreSQL does not answer", metadata: subject)
        }
    }

    func look(_ server: ServerSettings) async {
        do {
            let request = BackupListRequest(server: server, targets: context.targets(server), order: .ascending)
            context.state.note(server.name, .success(try await context.service().list(request)))
        } catch {
            guard !Task.isCancelled else { return }
            context.state.note(server.name, .failure(error))
        }
    }
}

/// Verifies each backup once in an interval, the one first that was verified longest ago.
struct VerificationSchedule: Sendable {
    let context: DaemonContext

    func run() async {
        let interval = context.configuration.global.verificationIntervalInSeconds
        repeat {
            while !Task.isCancelled, let (server, label) = await mostDue(interval) { await verify(server, label) }
            // A backup that falls due is verified within a tenth of the interval.
        } while await DaemonContext.wait(seconds: max(1, min(60, interval / 10)))
    }

    private func mostDue(_ interval: Int) async -> (ServerSettings, String)? {
        var due: (server: ServerSettings, label: String, at: Int)?
        for server in context.onlineServers {
            let request = BackupListRequest(server: server, targets: context.targets(server), order: .descending)
            guard let list = try? await context.service().list(request) else { continue }
            for backup in list.backups {
                let at = backup.verifiedAt ?? 0
                guard at + interval <= time(nil), at < due?.at ?? .max else { continue }
                due = (server, backup.label, at)
            }
        }
        return due.map { ($0.server, $0.label) }
    }

    private func verify(_ server: ServerSettings, _ label: String) async {
        let subject: Logger.Metadata = [DaemonLogKeys.server: "\(server.name)", DaemonLogKeys.backup: "\(label)"]
        do {
            var request = VerifyRequest(
                server: server, targets: context.targets(server), identifier: .label(label), isThisOnly: true,
                detail: .failed, isQuick: false, isNoted: true)
            request.maximumBytesPerSecond = context.configuration.global.verificationBytesPerSecond
            let answer = try await context.service().verify(request, progress: ProgressCounter(activity: "verify"))
            if answer.failed.isEmpty {
                Logger.current.info("a backup was verified", metadata: subject)
            } else {
                let files = answer.failed.map(\.fileName).joined(separator: ",")
                Logger.current.error(
                    "a backup is damaged; 'pgmoneta-cli verify' shows what",
                    metadata: subject.merging([DaemonLogKeys.files: "\(files)"]) { $1 })
            }
            await CatalogWatch(context: context).look(server)
        } catch {
            guard !Task.isCancelled else { return }
            Logger.current.warning(
                "a backup could not be verified",
                metadata: subject.merging([DaemonLogKeys.error: "\(CommandError.remediable(error).summary)"]) { $1 })
            // The same one would be tried again at once.
            _ = await DaemonContext.wait(seconds: 60)
        }
    }
}

/// Applies the policies from time to time.
struct RetentionSchedule: Sendable {
    let context: DaemonContext

    func run() async {
        repeat {
            for server in context.onlineServers { await apply(server) }
        } while await DaemonContext.wait(seconds: context.configuration.global.retentionIntervalInSeconds)
    }

    private func apply(_ server: ServerSettings) async {
        do {
            let request = RetentionRequest(server: server, targets: context.targets(server), isDryRun: false)
            let answer = try await context.service().retain(request)
            for target in answer.targets where target.status == .failed {
                Logger.current.warning(
                    "retention was not applied on a target",
                    metadata: [
                        DaemonLogKeys.server: "\(server.name)", DaemonLogKeys.target: "\(target.target)",
                        DaemonLogKeys.error: "\(target.error ?? "")",
                    ])
            }
            for item in answer.items where !item.decision.isKept {
                Logger.current.notice(
                    "retention removed a backup",
                    metadata: [
                        DaemonLogKeys.server: "\(server.name)", DaemonLogKeys.target: "\(item.target)",
                        DaemonLogKeys.backup: "\(item.decision.backup.label)",
                    ])
            }
        } catch {
            guard !Task.isCancelled else { return }
            Logger.current.warning(
                "retention was not applied",
                metadata: [
                    DaemonLogKeys.server: "\(server.name)",
                    DaemonLogKeys.error: "\(CommandError.remediable(error).summary)",
                ])
        }
    }
}
