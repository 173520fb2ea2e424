import TestSupport
import Testing

extension EndToEnd {
    /// What the file system says about restored files.
    @Suite struct RestoredFilesTests {
        /// Modes and times of what is in a folder, by path.
        private static func look(_ folder: String, _ format: String) throws -> [String: String] {
            let lines = try Program.check("/usr/bin/find", [folder, "!", "-type", "l", "-printf", "%P|\(format)\n"])
            return Dictionary(
                uniqueKeysWithValues: lines.split(separator: "\n").map {
                    let parts = $0.split(separator: "|", maxSplits: 1, omittingEmptySubsequences: false)
                    return (String(parts[0]), String(parts[1]))
                })
        }

        @Test(arguments: [("--data-checksums", "700"), ("--allow-group-access", "750")])
        func `restored files have the modes of those that were backed up, whatever the umask`(
            initdb: String, mode: String
        ) throws {
            let cluster = try PostgresCluster.start(17, initdbArguments: [initdb])
            let key = cluster.dataFolder + "/server.key"
            try Program.check("/usr/bin/install", ["-m", "0600", "/dev/null", key])
            try Owner(of: cluster.dataFolder).own(key)
            let installation = try Installation(cluster)
            let label = try installation.backup()

            let outcome = try installation.run("restore", "primary", "newest", installation.folder.path, umask: "077")

            try #require(outcome.status == 0, "\(outcome.errorText)")
            let data = installation.folder.path("primary-\(label)")
            let source = try Self.look(cluster.dataFolder, "%m")
            let restored = try Self.look(data, "%m").filter { source.keys.contains($0.key) }
            #expect(restored.count > 900)
            #expect(restored[""] == mode)
            #expect(restored["server.key"] == "600")
            for (path, mode) in restored { #expect(mode == source[path], "\(path)") }
        }

        @Test func `restored files have the times of those that were backed up`() throws {
            let cluster = try PostgresCluster.start(17)
            let files = ["PG_VERSION", "base/1/1255", "empty", "three frames"]
            let paths = files.map { cluster.dataFolder + "/" + $0 }
            for (path, size) in zip(paths.suffix(2), ["0", "3M"]) {
                try Program.check("/usr/bin/truncate", ["-s", size, path])
                try Owner(of: cluster.dataFolder).own(path)
            }
            try Program.check("/usr/bin/touch", ["-d", "2020-02-29 12:34:56 UTC"] + paths)
            let installation = try Installation(cluster)
            let label = try installation.backup()

            let outcome = try installation.run("restore", "primary", "newest", installation.folder.path)

            try #require(outcome.status == 0, "\(outcome.errorText)")
            let restored = try Self.look(installation.folder.path("primary-\(label)"), "%T@")
            for file in files { #expect(restored[file]?.hasPrefix("1582979696.") == true, "\(file)") }
        }
    }
}
