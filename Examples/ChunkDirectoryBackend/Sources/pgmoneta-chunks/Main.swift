import BackupCLI
import ChunkBackend

/// The usual program, with one more kind of target.
@main
struct Main {
    static func main() {
        var kit = Kit.standard
        kit.backends.add(ChunkBackend.factory)
        CommandLineInterface(kit: kit).run()
    }
}
