import BackupCLI
import Foundation
import TestSupport
import Testing

@Suite struct ConfigurationCommandTests {
    private func run(
        _ command: any UserCommand.Type, _ configuration: String, _ arguments: String...
    ) async throws -> (ExitCode, CapturedConsole) {
        try await withTemporaryFolder { folder in
            try folder.write(Array(configuration.utf8), to: "p.conf")
            let bench = CommandBench()
            let exitCode = await bench.run(try command.make(from: arguments + ["-c", folder.path("p.conf")]))
            return (exitCode, bench.captured)
        }
    }

    private let sound = """
        [pgmoneta]
        base_dir = /b
        workers = 4
        [target:far]
        url = s3://bucket/x
        secret_access_key = hush
        [primary]
        host = h
        user = u
        port = 5433

        """

    @Test func `conf check accepts a sound file`() async throws {
        let (exitCode, console) = try await run(ConfigurationCheckCommand.self, sound)

        #expect(exitCode == .done)
        #expect(console.output.contains("  Faults: []\n"))
        #expect(console.output.contains("  Targets:\n    - local\n    - far\n"))
        #expect(console.errors.isEmpty)
    }

    @Test func `conf check prints every fault with file, line and remedy, and ends with 2`() async throws {
        let (exitCode, console) = try await run(
            ConfigurationCheckCommand.self, "[pgmoneta]\nbase_dir = /b\ncompresion = zstd\nworkers = x\n")

        #expect(exitCode == .usage)
        let lines = console.errors.split(separator: "\n")
        #expect(lines.count == 4)
        #expect(lines[0].hasSuffix("p.conf:3: [pgmoneta] has no key 'compresion'"))
        #expect(lines[1].hasPrefix("remedy: Did you mean 'compression'? Allowed: "))
        #expect(lines[2].hasSuffix("p.conf:4: workers: 'x' is not allowed"))
        #expect(console.output.contains("Status: false"))
        #expect(console.output.contains("    - Code: configuration-unknown-key\n      Line: 3\n"))
    }

    @Test(arguments: [
        ("workers", "8", "workers = 4", "workers = 8", "4", "8"),
        ("pgmoneta.workers", "4", "workers = 4", "workers = 4", "4", "4"),
        ("server.primary.port", "5444", "port = 5433", "port = 5444", "5433", "5444"),
        ("server.primary.dbname", "d", "port = 5433", "port = 5433\ndbname = d", "postgres", "d"),
        ("target.far.secret_access_key", "new", "secret_access_key = hush", "secret_access_key = new", "***", "***"),
    ])
    func `conf set changes one line`(
        key: String, value: String, old: String, new: String, shownOld: String, shownNew: String
    ) async throws {
        try await withTemporaryFolder { folder in
            try folder.write(Array(sound.utf8), to: "p.conf")
            let path = folder.path("p.conf")
            try #require(unsafe chmod(path, 0o640) == 0)
            let bench = CommandBench()

            let exitCode = await bench.run(
                try ConfigurationSetCommand.make(from: [key, value, "-c", path]))

            #expect(exitCode == .done, "\(bench.captured.errors)")
            #expect(try String(contentsOfFile: path, encoding: .utf8) == sound.replacing(old, with: new))
            let said = bench.captured.output
            #expect(said.contains("  NewValue: \(LayoutQuoting.quoted(shownNew))\n"), "\(said)")
            #expect(said.contains("  OldValue: \(LayoutQuoting.quoted(shownOld))\n"), "\(said)")
            #expect(!said.contains("hush"))
            var status = stat()
            #expect(unsafe stat(path, &status) == 0 && status.st_mode & 0o777 == 0o640)
        }
    }

    @Test(arguments: [
        ("workers", "many"), ("wrokers", "4"), ("server.other.port", "1"), ("a.b", "1"), ("workers", "1\n[x]"),
        ("server.primary.host", ""),
    ])
    func `conf set refuses what would be faulty, and changes nothing`(key: String, value: String) async throws {
        try await withTemporaryFolder { folder in
            try folder.write(Array(sound.utf8), to: "p.conf")
            let path = folder.path("p.conf")
            let bench = CommandBench()

            let exitCode = await bench.run(try ConfigurationSetCommand.make(from: [key, value, "-c", path]))

            #expect(exitCode == .usage, "\(bench.captured.errors)")
            #expect(bench.captured.errors.contains("remedy: "))
            #expect(try String(contentsOfFile: path, encoding: .utf8) == sound)
        }
    }

    @Test func `conf check says why settings have no effect, each once`() async throws {
        let (exitCode, console) = try await run(
            ConfigurationCheckCommand.self,
            "[pgmoneta]\nbase_dir = /b\nssh_ciphers = x\nmanagement = 5001\nlibev = auto\n")

        #expect(exitCode == .done)
        let lines = console.errors.split(separator: "\n")
        #expect(lines.count == 3 && lines.allSatisfy { $0.hasPrefix("warning: ") }, "\(console.errors)")
        let reason = "'ssh_ciphers' has no effect: OpenSSH's own configuration chooses them"
        #expect(lines.first?.hasSuffix("p.conf:3: \(reason)") == true)
        #expect(console.output.contains("    - Line: 3\n      Problem: \"\(reason)\"\n"))
    }

    @Test func `conf check tells the line that is not UTF-8`() async throws {
        try await withTemporaryFolder { folder in
            try folder.write(Array("[pgmoneta]\n# gr".utf8) + [0xFC, 0x0A], to: "p.conf")
            let bench = CommandBench()

            let exitCode = await bench.run(try ConfigurationCheckCommand.make(from: ["-c", folder.path("p.conf")]))

            #expect(exitCode == .usage)
            #expect(bench.captured.errors.contains("p.conf:2: the line is not UTF-8"))
        }
    }

    @Test func `conf ls names the files`() async throws {
        var bench = CommandBench()
        bench.environment["PGMONETA_CONFIG_DIR"] = "/c"

        #expect(await bench.run(try ConfigurationListCommand.make(from: [])) == .done)
        #expect(bench.captured.output.contains("main_configuration_path: /c/pgmoneta.conf\n"))
        #expect(bench.captured.output.contains("users_configuration_path: /c/pgmoneta_users.conf\n"))
    }

    @Test(arguments: [
        ("workers", "pgmoneta.workers: 4"), ("pgmoneta.workers", "pgmoneta.workers: 4"),
        ("server.primary.port", "server.primary.port: 5433"), ("server.primary.workers", "server.primary.workers: 4"),
        ("target.far.url", "target.far.url: s3://bucket/x"), ("retention", "pgmoneta.retention: 7, -, -, -"),
        ("target.far.secret_access_key", #"target.far.secret_access_key: "***""#),
    ])
    func `conf get shows the value that counts`(key: String, line: String) async throws {
        let (exitCode, console) = try await run(ConfigurationGetCommand.self, sound, key)

        #expect(exitCode == .done)
        #expect(console.output.contains("  \(line)\n"), "\(console.output)")
    }

    @Test func `conf get without a key shows everything but secrets`() async throws {
        let (_, console) = try await run(ConfigurationGetCommand.self, sound)

        #expect(console.output.contains("pgmoneta.compression: zstd"))
        #expect(console.output.contains("server.primary.host: h"))
        #expect(!console.output.contains("hush"))
    }

    @Test func `conf get of an unknown key is wrong usage and names the nearest`() async throws {
        let (exitCode, console) = try await run(ConfigurationGetCommand.self, sound, "workres")

        #expect(exitCode == .usage)
        #expect(console.errors.contains("Did you mean 'workers'?"))
    }

    @Test func `target ls shows names, places and who uses them`() async throws {
        let (exitCode, console) = try await run(TargetListCommand.self, sound)

        #expect(exitCode == .done)
        #expect(
            console.output.contains(
                """
                  Targets:
                    - Servers:
                        - primary
                      Target: local
                      URL: file:///b
                    - Servers: []
                      Target: far
                      URL: s3://bucket/x

                """))
    }
}
