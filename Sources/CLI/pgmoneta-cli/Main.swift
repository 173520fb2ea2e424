import BackupCLI

/// `pgmoneta-cli`: everything a user does.
@main struct Main {
    static func main() async {
        await CommandLineInterface(kit: .standard).run()
    }
}
