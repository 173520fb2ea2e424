import BackupAPI
import BackupConformance
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import BackupCLI

/// Commands over several targets, with the engine: the golden repository is on one of them, and another one does not answer.
@Suite struct TargetAnswerTests {
    private static let golden =
        #filePath.split(separator: "/").dropLast(2).reduce("") { "\($0)/\($1)" } + "/Vectors/repository-1"
    /// A backup there, compressed with zstd; it has a tablespace.
    private static let label = "20250101000002"
    private static let labelCount = 14
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A place that nobody answers for.
    private static let silent = BackendFactory(scheme: "silent") { _ throws(StorageError) in
        throw StorageError(.unavailable, operation: .open, target: "silent://far")
    }

    /// Runs a command on the targets `local`, the golden repository or a copy, and `far`.
    private func run(
        _ command: any ServiceCommand.Type, _ arguments: [String], local: String = TargetAnswerTests.golden,
        far: String = "silent://far", order: String = "local, far", factory: BackendFactory = TargetAnswerTests.silent
    ) async throws -> (ExitCode, CapturedConsole) {
        let lines = [
            "[pgmoneta]", "base_dir = \(local)", "[primary]", "host = h", "user = u", "target = \(order)",
            "[target:far]", "url = \(far)",
        ]
        try folder.write(Array(lines.joined(separator: "\n").utf8), to: "p.conf")
        var bench = CommandBench()
        bench.kit = .standard
        bench.kit.backends.add(factory)
        bench.makeService = ServiceWiring.makeService
        let parsed = try command.make(from: arguments + ["-c", folder.path("p.conf")])
        return (await bench.run(parsed), bench.captured)
    }

    @Test func `a target that does not answer is in the list, and the exit code says so`() async throws {
        let (exitCode, console) = try await run(ListBackupCommand.self, ["primary"])

        #expect(exitCode == .partial)
        #expect(console.output.contains("Code: some-targets-failed\n"))
        #expect(console.output.split(separator: "    - Backup: ").count == Self.labelCount + 1)
        let failure = "Error: \"cannot open the target at silent://far: the place does not answer\"\n"
        #expect(
            console.output.contains(
                "  Targets:\n    - Durability: durable\n      Status: complete\n      Target: local\n"))
        #expect(console.output.contains("    - \(failure)      Status: failed\n      Target: far\n"))
        #expect(console.output.contains("        - \(failure)          Status: failed\n          Target: far\n"))
        #expect(console.errors.hasPrefix("error: far (cannot open the target at silent://far: "))
    }

    @Test func `info shows where the backup is, and where nobody could look`() async throws {
        let (exitCode, console) = try await run(InfoCommand.self, ["primary", Self.label])

        #expect(exitCode == .done)
        #expect(
            console.output.contains(
                "  Targets:\n    - Durability: durable\n      Status: complete\n      Target: local\n"))
        #expect(console.output.contains("      Status: failed\n      Target: far\n"))
    }

    @Test func `a target without the backup is absent`() async throws {
        let far = folder.path("empty")

        let (exitCode, console) = try await run(VerifyCommand.self, ["primary", Self.label], far: far)
        let (listed, list) = try await run(ListBackupCommand.self, ["primary"], far: far)

        #expect(exitCode == .done, "\(console.errors)")
        #expect(console.output.contains("    - Status: absent\n      Target: far\n"))
        #expect(console.output.contains("      Status: complete\n      Target: local\n"))
        #expect(listed == .done)
        #expect(list.output.contains("        - Status: absent\n          Target: far\n"))
    }

    @Test func `verify of what could be looked at is partial`() async throws {
        let (exitCode, console) = try await run(VerifyCommand.self, ["primary", Self.label])

        #expect(exitCode == .partial, "\(console.errors)")
        #expect(console.output.contains("  Valid: yes\n"))
        #expect(console.output.contains("      Status: failed\n      Target: far\n"))
        #expect(
            console.errors.contains(
                "error: far (cannot open the target at silent://far: the place does not answer) was not looked at\nremedy: "
            ))
    }

    @Test func `damage counts more than a target that does not answer`() async throws {
        let local = try copy(damaged: true)

        let (exitCode, console) = try await run(VerifyCommand.self, ["primary", Self.label], local: local)

        #expect(exitCode == .damage)
        #expect(console.output.contains("      Status: failed\n      Target: far\n"))
    }

    @Test func `a backup that no target has which answers may be on the one that does not`() async throws {
        let unknown = "20240928065644"
        for command in [VerifyCommand.self, InfoCommand.self] as [any ServiceCommand.Type] {
            let (exitCode, console) = try await run(command, ["primary", unknown])

            #expect(exitCode == .later)
            #expect(console.output.contains("Code: storage-unavailable\n"))
        }
        #expect(try await run(InfoCommand.self, ["primary", unknown], order: "local").0 == .failed)
        #expect(try await run(VerifyCommand.self, ["primary", "newest"], order: "far").0 == .later)
    }

    @Test(arguments: [false, true])
    func `restore takes another target and says so`(isDamaged: Bool) async throws {
        let far = isDamaged ? try copy(damaged: true) : "silent://far"
        let mapping = "--tablespace-mapping=/srv/space=\(folder.path("space"))"

        let (exitCode, console) = try await run(
            RestoreCommand.self, ["primary", Self.label, folder.path, mapping], far: far, order: "far, local")

        #expect(exitCode == .done, "\(console.errors)")
        #expect(console.output.contains("      Status: failed\n      Target: far\n"))
        #expect(console.output.contains("      Status: complete\n      Target: local\n"))
        #expect(console.errors.contains("warning: a target could not be used as a source"))
        #expect(try folder.tree().contains("primary-\(Self.label)/global/pg_control"))
    }

    @Test func `to look at one backup no other record is read`() async throws {
        let read = Mutex<[String]>([])
        let counting = BackendFactory(scheme: "counting") { settings throws(StorageError) in
            let location = try TargetLocation(Self.golden)
            let place = try await Kit.standard.backends.factory(scheme: "file")?.open(
                TargetSettings(location: location))
            guard let place else { throw StorageError(.unsupported, operation: .open, target: "") }
            return FaultyBackend(place) { call in
                if call.kind == .openRead, let key = call.key { read.withLock { $0.append(key.string) } }
                return nil
            }
        }

        let (exitCode, _) = try await run(
            InfoCommand.self, ["primary", Self.label], far: "counting://x", order: "far", factory: counting)

        #expect(exitCode == .done)
        #expect(
            read.withLock { $0 }.filter { $0.hasSuffix("backup.info") } == ["primary/backup/\(Self.label)/backup.info"])
    }

    /// A copy of the golden repository, with one changed bit in a volume of the backup.
    private func copy(damaged: Bool) throws -> String {
        let copy = folder.path("copy")
        try Program.check("/bin/cp", ["-r", Self.golden, copy])
        let path = "copy/primary/backup/\(Self.label)/data/base.000001.tar.zstd"
        var bytes = try folder.read(path)
        bytes[bytes.count / 2] ^= 1
        try folder.write(bytes, to: path)
        return copy
    }
}
