import BackupCLI

/// `pgmoneta-admin`: keys, users, set-up.
@main struct Main {
    static func main() {
        CommandLineInterface(kit: .standard, program: .administration).run()
    }
}
