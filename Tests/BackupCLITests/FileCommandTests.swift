import Foundation
import TestSupport
import Testing

/// `encrypt`, `decrypt`, `compress` and `decompress`, as programs that other programs look at.
@Suite struct FileCommandTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try folder.write(
            Array("[pgmoneta]\nbase_dir = /b\ncompression = lz4\nencryption = aes-192-ctr\n".utf8), to: "p.conf")
        try FileManager.default.createDirectory(atPath: folder.path("files"), withIntermediateDirectories: false)
    }

    private func cli(_ arguments: String..., home: String = "home") throws -> BuiltProgram.Result {
        try BuiltProgram(name: "pgmoneta-cli").run(
            arguments + ["-c", folder.path("p.conf")], environment: ["HOME": folder.path(home)])
    }

    private func makeMasterKey(home: String = "home") throws {
        try FileManager.default.createDirectory(atPath: folder.path(home), withIntermediateDirectories: true)
        let made = try BuiltProgram(name: "pgmoneta-admin").run(
            ["master-key"], environment: ["HOME": folder.path(home)])
        try #require(made.exitCode == 0, "\(made.errors)")
    }

    private func files() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path("files")).sorted()
    }

    private var plain: [UInt8] { (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 / 7) } }

    @Test func `a file is encrypted in place as the configuration says, and decrypted again`() throws {
        try makeMasterKey()
        try folder.write(plain, to: "files/x.tar.zstd")

        let encrypted = try cli("encrypt", folder.path("files/x.tar.zstd"))

        #expect(encrypted.exitCode == 0, "\(encrypted.errors)")
        #expect(encrypted.errors == "")
        #expect(encrypted.output.contains("  Command: encrypt\n"))
        #expect(encrypted.output.contains("  SourceFile: \(folder.path("files/x.tar.zstd"))\n"))
        #expect(encrypted.output.contains("  DestinationFile: \(folder.path("files/x.tar.zstd.aes"))\n"))
        #expect(encrypted.output.contains("  SourceSize: 2.86MB\n"))
        #expect(try files() == ["x.tar.zstd.aes"])
        // Mode 8 is aes-192-ctr (docs/FORMAT.md).
        #expect(try folder.read("files/x.tar.zstd.aes").prefix(8) == Array("PGMAES".utf8)[...] + [1, 8])

        let decrypted = try cli("decrypt", folder.path("files/x.tar.zstd.aes"), "-F", "raw")

        #expect(decrypted.exitCode == 0, "\(decrypted.errors)")
        #expect(decrypted.output.contains("  Command: 14\n"))
        #expect(decrypted.output.contains("  DestinationSize: 3000000\n"))
        #expect(try files() == ["x.tar.zstd"])
        #expect(try folder.read("files/x.tar.zstd") == plain)
    }

    @Test func `a file that was encrypted on one machine is decrypted on another one with the master key`() throws {
        try makeMasterKey()
        try makeMasterKey(home: "elsewhere")
        try folder.write([1, 2, 3], to: "files/x")
        try #require(try cli("encrypt", "--encryption", "aes", folder.path("files/x")).exitCode == 0)

        let wrong = try cli("decrypt", folder.path("files/x.aes"), home: "elsewhere")
        #expect(wrong.exitCode == 1)
        #expect(wrong.output.contains("Code: codec-key-missing\n  Error: 4107\n"))
        #expect(try files() == ["x.aes"])

        let key = folder.path("home/.pgmoneta/master.key")
        let right = try cli("decrypt", folder.path("files/x.aes"), "--master-key", key, home: "elsewhere")
        #expect(right.exitCode == 0, "\(right.errors)")
        #expect(try folder.read("files/x") == [1, 2, 3])
    }

    @Test(arguments: [
        ("gzip", "gz", "gzip"), ("zstd", "zst", "zstd"), ("lz4", "lz4", "lz4"), ("bzip2", "bz2", "bzip2"),
    ])
    func `files of the usual tools are decompressed, and they read ours`(
        tool: String, suffix: String, name: String
    ) throws {
        try folder.write(plain, to: "files/x")
        let script = "\"$1\" -c \"$2/x\" > \"$2/x.$3\" && rm \"$2/x\""
        try Program.check("/bin/sh", ["-c", script, "sh", tool, folder.path("files"), suffix])

        let decompressed = try cli("decompress", folder.path("files/x.\(suffix)"), "-F", "json")

        #expect(decompressed.exitCode == 0, "\(decompressed.errors)")
        #expect(try files() == ["x"])
        #expect(try folder.read("files/x") == plain)

        let compressed = try cli("compress", "--compression", name, "--level", "2", folder.path("files/x"))

        #expect(compressed.exitCode == 0, "\(compressed.errors)")
        let result = try #require(try files().first)
        try Program.check(
            "/bin/sh", ["-c", "\"$1\" -dc < \"$2/$3\" > \"$2/y\"", "sh", tool, folder.path("files"), result])
        #expect(try folder.read("files/y") == plain)
    }

    @Test func `compress does as the configuration says, and refuses to do it twice`() throws {
        try folder.write(plain, to: "files/x")

        #expect(try cli("compress", folder.path("files/x")).exitCode == 0)
        #expect(try files() == ["x.lz4"])

        let again = try cli("compress", folder.path("files/x.lz4"))
        #expect(again.exitCode == 2)
        #expect(again.errors.hasPrefix("error: "))
        #expect(try files() == ["x.lz4"])
    }

    @Test(arguments: [
        ["decrypt", "files/x"], ["decompress", "files/x"], ["compress", "--compression", "aes", "files/x"],
        ["encrypt", "--encryption", "zstd", "files/x"], ["compress", "--level", "99", "files/x"],
    ])
    func `what does not fit is exit code 2, with nothing changed`(arguments: [String]) throws {
        try makeMasterKey()
        try folder.write([1], to: "files/x")
        let result = try BuiltProgram(name: "pgmoneta-cli").run(
            arguments.dropLast() + [folder.path("files/x"), "-c", folder.path("p.conf")],
            environment: ["HOME": folder.path("home")])

        #expect(result.exitCode == 2, "\(result.errors)")
        #expect(result.errors.contains("remedy: "))
        #expect(try files() == ["x"])
    }

    @Test func `without a master key nothing is encrypted`() throws {
        try folder.write([1], to: "files/x")

        let result = try cli("encrypt", folder.path("files/x"))

        #expect(result.exitCode == 1)
        #expect(result.output.contains("Code: master-key-missing"))
        #expect(try files() == ["x"])
    }

    @Test func `a result that cannot be written leaves the source and nothing else`() throws {
        try folder.write(plain, to: "files/x")
        let program = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
            .appending(path: "pgmoneta-cli").path
        let script = "trap '' XFSZ; ulimit -f 8; exec \"$@\""

        let result = try Program.run(
            "/bin/sh",
            ["-c", script, "sh", program, "-c", folder.path("p.conf"), "compress", folder.path("files/x")])

        #expect(result.status == 1)
        #expect(result.text.contains("Code: file-unusable"))
        #expect(result.errorText.contains("File too large"))
        #expect(try files() == ["x"])
        #expect(try folder.read("files/x") == plain)
    }

    @Test func `a run that is killed leaves the source as it was, and the next one succeeds`() throws {
        let big = (0..<40_000_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 9) }
        try folder.write(big, to: "files/x")
        let (process, _) = try BuiltProgram(name: "pgmoneta-cli").start(
            ["compress", "--compression", "bzip2", folder.path("files/x")])
        while try !files().contains(where: { $0.hasPrefix(".pgmoneta-tmp-") }), process.isRunning { usleep(1000) }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()

        #expect(process.terminationReason == .uncaughtSignal)
        #expect(try files().filter { !$0.hasPrefix(".pgmoneta-tmp-") } == ["x"])
        #expect(try folder.read("files/x") == big)
        #expect(try cli("compress", "--compression", "gzip", folder.path("files/x")).exitCode == 0)
        try Program.check("/bin/sh", ["-c", "gzip -t \"$1\"", "sh", folder.path("files/x.gz")])
    }

    @Test func `two runs at once lose nothing`() throws {
        try folder.write(plain, to: "files/x")
        let runs = try (0..<2).map { _ in
            try BuiltProgram(name: "pgmoneta-cli").start(["compress", "--compression", "gzip", folder.path("files/x")])
                .0
        }
        for run in runs { run.waitUntilExit() }

        #expect(runs.contains { $0.terminationStatus == 0 })
        #expect(try files() == ["x.gz"])
        #expect(try cli("decompress", folder.path("files/x.gz")).exitCode == 0)
        #expect(try folder.read("files/x") == plain)
    }
}
