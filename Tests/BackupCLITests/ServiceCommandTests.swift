import BackupAPI
import BackupCLI
import BackupEngine
import PostgresClient
import TestSupport
import Testing

/// Answers every command with what the test gives it.
struct SampleService: BackupService {
    var summary = BackupSamples.full
    var failed: [VerifyAnswer.File] = []
    var error: StorageError?

    func backup(_ request: BackupRequest, progress: ProgressCounter) async throws -> BackupAnswer {
        if let error { throw error }
        return BackupAnswer(summary)
    }

    func list(_ request: BackupListRequest) async throws -> BackupListAnswer {
        BackupListAnswer(
            server: ServerIdentity(name: request.server.name), backups: [summary], targets: summary.targets)
    }

    func info(_ request: InfoRequest) async throws -> BackupAnswer { BackupAnswer(summary) }

    func verify(_ request: VerifyRequest, progress: ProgressCounter) async throws -> VerifyAnswer {
        VerifyAnswer(
            server: ServerIdentity(name: request.server.name), label: summary.label, checkedFileCount: 7,
            failed: failed, targets: summary.targets)
    }

    func restore(_ request: RestoreRequest, progress: ProgressCounter) async throws -> RestoreAnswer {
        RestoreAnswer(summary, directory: "\(request.directory)/\(request.server.name)-\(summary.label)")
    }

    func pushWAL(_ request: WALPushRequest) async throws -> WALPushAnswer {
        if let error { throw error }
        return WALPushAnswer(
            server: request.server.name, file: "000000010000000000000002", byteCount: 16 << 20, storedByteCount: 4096,
            targets: summary.targets)
    }

    func fetchWAL(_ request: WALFetchRequest) async throws -> Bool {
        if let error { throw error }
        return request.name.kind == .segment
    }

    func listWAL(_ request: WALListRequest) async throws -> WALListAnswer {
        if let error { throw error }
        return WALListAnswer(items: [], targets: summary.targets)
    }

    func copy(_ request: CopyRequest, progress: ProgressCounter) async throws -> CopyAnswer {
        if let error { throw error }
        return CopyAnswer(
            summary, source: request.source.name, destination: request.destination.name, copiedByteCount: 8_531_968,
            skippedObjectCount: request.includesParents ? 7 : 2)
    }

    func archive(_ request: ArchiveRequest, progress: ProgressCounter) async throws -> ArchiveAnswer {
        ArchiveAnswer(
            summary, archive: request.destination.path(of: "\(request.server.name)-\(summary.label).tar.zstd"),
            byteCount: 8_531_968, plainByteCount: 48_802_304)
    }

    func delete(_ request: DeleteRequest) async throws -> DeleteAnswer {
        var summary = summary
        summary.targets = [TargetOutcome(target: "local", status: error == nil ? .absent : .failed)]
        return DeleteAnswer(summary, deleted: request.cascades ? ["20240929", summary.label] : [summary.label])
    }

    func note(_ request: NotesRequest) async throws -> NotesAnswer {
        var summary = summary
        if case .keep(let isKept) = request.edit { summary.isKept = isKept }
        if case .add(let key, let comment) = request.edit { summary.comments[key] = comment }
        if error != nil { summary.targets[0].status = .failed }
        return NotesAnswer(summary, labels: request.cascades ? ["20240927", summary.label] : [summary.label])
    }

    func progress(_ request: ServerRequest) async throws -> RunningBaseBackup? { nil }

    func isOnline(_ request: ServerRequest) async throws -> Bool { true }

    func receiveWAL(_ request: WALReceiveRequest, progress: ReceiverProgress) async throws {}

    func retain(_ request: RetentionRequest) async throws -> RetentionAnswer {
        let labels = ["20240928065644", "20240929065644"].compactMap { BackupLabel($0) }
        let backups = labels.map { RetentionPlan.Backup(label: $0, byteCount: 8_531_968) }
        let decisions = RetentionPlan.decide(backups, policy: RetentionPolicy(weeks: 1), now: 1_727_600_000)
        var expired = ExpiredWAL(
            WALExpiry(
                remaining: labels.suffix(1).map { .init(label: $0, first: WALFileName("000000010000000000000007")) })
        )
        (expired.fileCount, expired.byteCount) = (5, 81_920)
        return RetentionAnswer(
            items: decisions.map { RetentionAnswer.Item(target: "local", decision: $0) },
            wal: [RetentionAnswer.WALItem(target: "local", expired: expired)], targets: summary.targets)
    }

    func keys(_ request: KeyRequest) async throws -> KeyAnswer { KeyAnswer(reports: [], targets: summary.targets) }

    func checkTarget(_ request: TargetCheckRequest, progress: ProgressCounter) async throws -> TargetCheckAnswer {
        TargetCheckAnswer(
            target: request.target.name, location: "\(request.target.location)",
            checks: [.init(law: "commit-is-atomic"), .init(law: "list-is-ordered", fault: "b came before a")],
            capabilities: Capabilities(
                durability: .durable, hasAtomicCreate: true, hasAtomicReplace: true, usefulConcurrency: 4))
    }
}

@Suite struct ServiceCommandTests {
    private func run(
        _ command: any ServiceCommand.Type, _ arguments: [String], _ service: SampleService = SampleService(),
        settings: String = ""
    ) async throws -> (ExitCode, CapturedConsole) {
        try await withTemporaryFolder { folder in
            let text = "[pgmoneta]\nbase_dir = /b\n\(settings)[primary]\nhost = h\nuser = u\n"
            try folder.write(Array(text.utf8), to: "p.conf")
            var bench = CommandBench()
            bench.makeService = { _, _, _ in service }
            let parsed = try command.make(from: arguments + ["-c", folder.path("p.conf")])
            return (await bench.run(parsed), bench.captured)
        }
    }

    @Test func `a backup on all targets is exit code 0 and nothing on standard error`() async throws {
        let (exitCode, console) = try await run(BackupCommand.self, ["primary"])

        #expect(exitCode == .done)
        #expect(console.errors.isEmpty)
        #expect(console.output.contains("  Backup: 20240928065644\n"))
    }

    @Test func `a backup on some targets is exit code 5 and still in the reply`() async throws {
        var service = SampleService()
        service.summary.targets.append(TargetOutcome(target: "far", status: .failed, error: "no space left"))

        let (exitCode, console) = try await run(BackupCommand.self, ["primary"], service)

        #expect(exitCode == .partial)
        #expect(console.output.contains("Code: some-targets-failed"))
        #expect(console.output.contains("Backup: 20240928065644"))
        #expect(console.errors.contains("error: backup 20240928065644 is not on far (no space left)\nremedy: "))
    }

    @Test func `a place that is busy is exit code 4, one that refuses is 1`() async throws {
        let busy = SampleService(error: StorageError(.unavailable, operation: .write, target: "s3://b"))
        #expect(try await run(BackupCommand.self, ["primary"], busy).0 == .later)

        let refused = SampleService(error: StorageError(.permissionDenied, operation: .write, target: "s3://b"))
        let (exitCode, console) = try await run(BackupCommand.self, ["primary"], refused)
        #expect(exitCode == .failed)
        #expect(console.output.contains("Code: storage-permission-denied\n  Error: 4003\n  Status: false\n"))
        #expect(console.output.hasSuffix("Response:\n  Server: primary\n  ServerVersion: 0.1.0\n"))
    }

    @Test func `damage is exit code 3 with the files in the reply`() async throws {
        let file = VerifyAnswer.File(
            target: "local", label: "20240928065644", directory: "data", fileName: "base.000001.tar.zstd",
            algorithm: "SHA512", original: "aa", calculated: "bb")

        let (exitCode, console) = try await run(
            VerifyCommand.self, ["primary", "newest"], SampleService(failed: [file]))

        #expect(exitCode == .damage)
        #expect(
            console.output.contains("      - Backup: 20240928065644\n        Calculated: bb\n        Directory: data\n")
        )
        #expect(console.output.contains("Valid: no"))
        #expect(try await run(VerifyCommand.self, ["primary", "newest"]).0 == .done)
    }

    @Test func `delete says what went, and is partial where a target still has it`() async throws {
        let (exitCode, console) = try await run(DeleteCommand.self, ["primary", "newest", "--cascade"])

        #expect(exitCode == .done)
        #expect(console.output.contains("  Deleted:\n    - 20240929\n    - 20240928065644\n"))
        let broken = SampleService(
            error: StorageError(.unavailable, operation: .delete, key: "x", target: "local"))
        #expect(try await run(DeleteCommand.self, ["primary", "newest"], broken).0 == .partial)
    }

    @Test func `restore says where it wrote`() async throws {
        let (exitCode, console) = try await run(RestoreCommand.self, ["primary", "newest", "current", "/out"])

        #expect(exitCode == .done)
        #expect(console.output.contains("Directory: /out/primary-20240928065644"))
        #expect(console.output.contains("Position: current"))
    }

    @Test func `an unknown server is wrong usage and names the nearest`() async throws {
        let (exitCode, console) = try await run(ListBackupCommand.self, ["primray"])

        #expect(exitCode == .usage)
        #expect(console.errors.contains("Did you mean 'primary'?"))
    }

    @Test func `an unknown target or scheme is wrong usage`() async throws {
        #expect(try await run(InfoCommand.self, ["primary", "newest", "--target", "loacl"]).0 == .usage)
        #expect(try await run(InfoCommand.self, ["primary", "newest", "--target", "gopher://x"]).0 == .usage)
        #expect(try await run(InfoCommand.self, ["primary", "newest", "--target", "s3://u:p@x"]).0 == .usage)
        #expect(try await run(InfoCommand.self, ["primary", "newest", "--target", "s3://other,local"]).0 == .done)
    }

    @Test func `copy says what it copied, from where and to where`() async throws {
        let words = ["primary", "newest", "--from", "local", "--to", "s3://far/away"]
        let (exitCode, console) = try await run(CopyCommand.self, words)

        #expect(exitCode == .done)
        for line in ["CopiedBytes: 8.14MB", "From: local", "SkippedObjects: 2", "To: s3://far/away"] {
            #expect(console.output.contains("  \(line)\n"), "\(line)")
        }
        #expect(try await run(CopyCommand.self, words + ["--chain"]).1.output.contains("  SkippedObjects: 7\n"))
        let busy = SampleService(error: StorageError(.unavailable, operation: .write, target: "s3://far/away"))
        #expect(try await run(CopyCommand.self, words, busy).0 == .later)
    }

    @Test(
        arguments: [
            (BackupCommand.self, ["primary"]), (ListBackupCommand.self, ["primary"]),
            (RestoreCommand.self, ["primary", "newest", "/r"]),
            (CopyCommand.self, ["primary", "newest", "--from", "local", "--to", "s3://far/away"]),
        ] as [(any ServiceCommand.Type, [String])])
    func `settings that somebody relies on, and that do nothing, are named once, on standard error`(
        command: any ServiceCommand.Type, arguments: [String]
    ) async throws {
        let settings = "backup_max_rate = 300\nssh_ciphers = x\nlibev = auto\n"
        let plain = try await run(command, arguments)

        let (exitCode, console) = try await run(command, arguments, settings: settings)

        #expect(exitCode == .done)
        #expect(console.output == plain.1.output)
        let lines = console.errors.split(separator: "\n")
        #expect(lines.count == 1, "\(console.errors)")
        #expect(lines.first?.hasPrefix("warning: settings have no effect; 'conf check' says why ") == true)
        #expect(lines.first?.hasSuffix(" settings=backup_max_rate, ssh_ciphers") == true, "\(console.errors)")
    }

    @Test func `copy needs two different targets and no others`() async throws {
        #expect(try await run(CopyCommand.self, ["primary", "newest", "--from", "local", "--to", "local"]).0 == .usage)
        #expect(try await run(CopyCommand.self, ["primary", "newest", "--from", "local", "--to", "/b"]).0 == .usage)
        let third = ["primary", "newest", "--from", "local", "--to", "s3://x", "--target", "local"]
        #expect(try await run(CopyCommand.self, third).0 == .usage)
    }

    @Test(arguments: [
        ("sftp://me:hush@h/x", "sftp://***@h/x"), ("sftp://me:hu/sh@h:1/x@y", "sftp://***@y"),
        ("sftp:me:hush@h/x", "***@h/x"), ("s3://AKID:hush@bucket", "s3://***@bucket"),
    ])
    func `a password in a URL is not repeated when the URL is refused`(url: String, shown: String) async throws {
        let copied = try await run(CopyCommand.self, ["primary", "newest", "--from", url, "--to", url])
        let checked = try await withTemporaryFolder { folder in
            try folder.write(Array("[pgmoneta]\nbase_dir = /b\n".utf8), to: "p.conf")
            let bench = CommandBench()
            _ = await bench.run(try TargetCheckCommand.make(from: [url, "-c", folder.path("p.conf")]))
            return bench.captured
        }

        #expect(copied.0 == .usage)
        #expect(copied.1.output.contains("From: \"\(shown)\"") || copied.1.output.contains("From: \(shown)\n"))
        #expect(checked.output.contains("Target: \"\(shown)\"") || checked.output.contains("Target: \(shown)\n"))
        for console in [copied.1, checked] { #expect(!(console.output + console.errors).contains("hu")) }
    }

    @Test(arguments: ["far", "/srv/a@b", "file:///srv/a@b", "sftp://me@h:22/x@y"])
    func `a target that is in order is repeated as it was typed`(target: String) throws {
        #expect(try TargetCheckCommand.make(from: [target]).request["Target"] == .string(target))
    }

    @Test func `a broken law of a target is exit code 1`() async throws {
        try await withTemporaryFolder { folder in
            try folder.write(Array("[pgmoneta]\nbase_dir = /b\n".utf8), to: "p.conf")
            var bench = CommandBench()
            bench.makeService = { _, _, _ in SampleService() }

            let exitCode = await bench.run(
                try TargetCheckCommand.make(from: ["local", "-c", folder.path("p.conf")]))

            #expect(exitCode == .failed)
            #expect(bench.captured.output.contains("    - Fault: b came before a\n      Kept: false\n"))
        }
    }
}
