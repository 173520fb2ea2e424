import BackupAPI
import BackupCLI
import BackupEngine
import Logging

/// Keeps a receiver of WAL going.
struct ReceiverKeeper: Sendable {
    private static let pauseInSeconds = 10
    let context: DaemonContext

    /// Receives until the task is cancelled. What keeps it from beginning, such as a folder that is taken, is tried again.
    func run(_ server: ServerSettings) async {
        let global = context.configuration.global
        repeat {
            do {
                let request = WALReceiveRequest(
                    server: server, targets: context.targets(server),
                    spool: try global.spool ?? context.session.standardSpool(), spoolByteLimit: global.spoolByteLimit)
                try await context.service().receiveWAL(request, progress: context.state.receiver(of: server.name))
            } catch {
                Logger.current.error(
                    "WAL is not being received",
                    metadata: [
                        DaemonLogKeys.server: "\(server.name)",
                        DaemonLogKeys.error: "\(CommandError.remediable(error).summary)",
                    ])
            }
        } while await DaemonContext.wait(seconds: Self.pauseInSeconds)
    }
}
