import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// The package under Examples: a backend that the product does not know, in a program of its own.
    @Suite struct ExampleProgramTests {
        @Test func `a program with a third party's backend backs up, verifies and restores through it`() throws {
            let root = URL(filePath: PostgresVersions.tools).deletingLastPathComponent()
            let program = root.appending(path: "Examples/ChunkDirectoryBackend/.build/debug/pgmoneta-chunks").path
            try #require(FileManager.default.fileExists(atPath: program), "build it with scripts/test")
            let cluster = try PostgresCluster.start(17)
            _ = try cluster.psql("CREATE TABLE t AS SELECT generate_series(1, 5000) i")
            let installation = try Installation(cluster)
            let target = "chunks://\(installation.folder.path("chunks"))"
            let start = ["-c", installation.folder.path("pgmoneta.conf"), "--target", target]
            let home = ["HOME": installation.folder.path("home")]

            let steps = [
                ["backup", "primary"], ["verify", "primary", "newest"],
                ["restore", "primary", "newest", installation.folder.path],
            ]
            for step in steps {
                let outcome = try Program.run(program, step + start, environment: home)
                #expect(outcome.status == 0, "\(step): \(outcome.text)\(outcome.errorText)")
            }

            let restored = try #require(
                try FileManager.default.contentsOfDirectory(atPath: installation.folder.path).first {
                    $0.hasPrefix("primary-")
                })
            let copy = try PostgresCluster.start(17, onDataFolder: installation.folder.path(restored))
            #expect(try copy.psql("SELECT sum(i) FROM t") == "12502500")
        }
    }
}
