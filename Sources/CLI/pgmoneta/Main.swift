import BackupCLI
import BackupDaemon

/// `pgmoneta`: the daemon.
@main struct Main {
    static func main() async {
        await DaemonInterface(kit: .standard).run()
    }
}
