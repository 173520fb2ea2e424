import BackupCLI
import Foundation
import Testing

/// The pages in `docs` say what the programs do.
@Suite struct ManualTests {
    private let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private func page(_ name: String) -> URL { root.appending(path: "docs/\(name)") }

    @Test func `the configuration manual is true`() throws {
        let text = ConfigurationManual(kit: .standard).text
        if ProcessInfo.processInfo.environment["PGMONETA_WRITE_MANUAL"] == "1" {
            try Data(text.utf8).write(to: page("CONFIGURATION.md"))
        }

        let written = try String(contentsOf: page("CONFIGURATION.md"), encoding: .utf8)

        #expect(written == text, "run the test with PGMONETA_WRITE_MANUAL=1 and look at the difference")
    }

    @Test func `the command manual lists the error codes with their numbers, no others, and every exit code`() throws {
        let written = try String(contentsOf: page("COMMANDS.md"), encoding: .utf8)

        let rows = written.matches(of: /(?m)^\| (\d{4}) \| `([^`]+)` \|/).map { "\($0.1) \($0.2)" }
        #expect(rows == ErrorNumbers.table.map { "\($0.number) \($0.code)" })
        for exitCode in ExitCode.allCases { #expect(written.contains("| \(exitCode.rawValue) |")) }
    }

    @Test func `the command manual names every command that is offered`() throws {
        let written = try String(contentsOf: page("COMMANDS.md"), encoding: .utf8)
        let offered = [
            "backup <server> [identifier]", "list-backup <server>", "info <server> <identifier>",
            "verify <server> <identifier>", "restore <server> <identifier>", "delete <server> <identifier>",
            "annotate <server> <identifier>",
            "retain <server> <identifier>", "retention <server>", "encrypt <file>", "decrypt <file>",
            "compress <file>", "decompress <file>",
            "target ls", "target check <target>",
            "conf check", "conf ls", "conf get [key]", "master-key", "user add", "user edit", "user del", "user ls",
            "init",
        ]
        for command in offered { #expect(written.contains("`\(command)"), "\(command)") }
    }

    @Test func `the page about backends shows the program of the example as it is`() throws {
        let written = try String(contentsOf: page("ADDING-A-BACKEND.md"), encoding: .utf8)
        let path = "Examples/ChunkDirectoryBackend/Sources/pgmoneta-chunks/Main.swift"
        let program = try String(contentsOf: root.appending(path: path), encoding: .utf8)

        #expect(written.contains("```swift\n\(program)```"))
    }
}
