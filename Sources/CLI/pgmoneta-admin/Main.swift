import BackupCLI

@main struct Main {
    static func main() {}
}
