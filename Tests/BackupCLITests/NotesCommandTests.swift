import BackupAPI
import BackupCLI
import BackupEngine
import TestSupport
import Testing

/// What `annotate`, `retain`, `expunge` and `retention` take and say.
@Suite struct NotesCommandTests {
    private func run(
        _ command: any ServiceCommand.Type, _ arguments: [String], fails: Bool = false
    ) async throws -> (ExitCode, CapturedConsole) {
        try await withTemporaryFolder { folder in
            let text = "[pgmoneta]\nbase_dir = /b\nretention = -, 1, -, -\n[primary]\nhost = h\nuser = u\n"
            try folder.write(Array(text.utf8), to: "p.conf")
            var bench = CommandBench()
            var service = SampleService()
            if fails { service.error = .init(.unavailable, operation: .write, target: "local") }
            bench.makeService = { [service] _, _, _ in service }
            let parsed = try command.make(from: arguments + ["-c", folder.path("p.conf")])
            return (await bench.run(parsed), bench.captured)
        }
    }

    @Test func `annotate shows the backup with its comments`() async throws {
        let (exitCode, console) = try await run(
            AnnotateCommand.self, ["primary", "newest", "add", "mykey", "mycomment", "-F", "raw"])

        #expect(exitCode == .done)
        #expect(console.output.contains("  Command: 20\n"))
        #expect(
            console.output.contains(
                """
                Request:
                  Action: add
                  Backup: newest
                  Comment: mycomment
                  Key: mykey
                  Server: primary

                """))
        #expect(console.output.contains("  Comments: mykey|mycomment\n"))
    }

    @Test(arguments: [(true, "retain", 12), (false, "expunge", 13)])
    func `retain and expunge say what is kept`(isKept: Bool, name: String, number: Int) async throws {
        let command: any ServiceCommand.Type = isKept ? RetainCommand.self : ExpungeCommand.self

        let (exitCode, console) = try await run(command, ["--cascade", "primary", "20240928", "-F", "raw"])

        #expect(exitCode == .done)
        #expect(console.output.contains("  Command: \(number)\n"))
        #expect(console.output.contains("  Backups:\n    - 20240927\n    - 20240928065644\n"))
        #expect(console.output.contains("  Cascade: true\n"))
        #expect(console.output.contains("  Keep: \(isKept)\n"))
    }

    @Test func `a target that was not changed is exit code 5`() async throws {
        let (exitCode, console) = try await run(RetainCommand.self, ["primary", "newest"], fails: true)

        #expect(exitCode == .partial)
        #expect(console.errors.hasPrefix("error: backup 20240928065644 is not kept on local\nremedy: "))
    }

    @Test func `retention shows each backup with what becomes of it and why`() async throws {
        let (exitCode, console) = try await run(RetentionCommand.self, ["primary", "--dry-run"])

        #expect(exitCode == .done)
        #expect(
            console.output.hasSuffix(
                """
                Request:
                  DryRun: true
                  Server: primary
                Response:
                  Backups:
                    - Backup: 20240928065644
                      BackupSize: 8.14MB
                      Decision: go
                      Reasons:
                        - not kept by the policy
                      Target: local
                    - Backup: 20240929065644
                      BackupSize: 8.14MB
                      Decision: keep
                      Reasons:
                        - newest of the week 2024-09-23
                      Target: local
                  DryRun: true
                  Freed: 8.14MB
                  Retention: -, 1, -, -
                  Server: primary
                  ServerVersion: 0.1.0
                  Targets:
                    - Durability: durable
                      Status: complete
                      Target: local
                  WAL:
                    - Files: 5
                      First: 000000010000000000000007
                      Freed: 80.00kB
                      Reason: needed by 20240929065644
                      Target: local

                """), "\(console.output)")
    }

    @Test(arguments: [
        ["remove", "k", "c"], ["add", "k"], ["update", "k"], ["add", "", "c"],
        ["add", "k", "c", "--comment-file", "-"],
        ["add", "k", "--comment-file", "/nowhere/file"],
    ])
    func `an edit that does not fit is refused`(arguments: [String]) throws {
        let command = try AnnotateCommand.make(from: ["primary", "newest"] + arguments)

        #expect(throws: UsageError.self) { try command.parsedEdit() }
    }

    @Test func `an edit is what was typed`() throws {
        func edit(_ arguments: String...) throws -> NotesEdit {
            try AnnotateCommand.make(from: ["primary", "newest"] + arguments).parsedEdit()
        }
        #expect(try edit("add", "k", "") == .add(key: "k", comment: ""))
        #expect(try edit("update", "k", "a|b,c\n") == .update(key: "k", comment: "a|b,c\n"))
        #expect(try edit("remove", "k") == .remove(key: "k"))
        #expect(throws: (any Error).self) { try edit("rename", "k") }
    }
}
