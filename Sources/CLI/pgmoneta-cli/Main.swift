import BackupCLI

/// `pgmoneta-cli`: everything a user does.
@main struct Main {
    static func main() {
        CommandLineInterface(kit: .standard).run()
    }
}
