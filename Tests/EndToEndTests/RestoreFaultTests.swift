import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Restores and verifications that must not succeed.
    @Suite struct RestoreFaultTests {
        private let cluster: PostgresCluster
        private let installation: Installation
        private let label: String

        init() throws {
            cluster = try PostgresCluster.start(17)
            installation = try Installation(cluster)
            label = try installation.backup()
        }

        private var directory: String { installation.folder.path("primary-\(label)") }

        private func restore(_ options: String...) throws -> ProgramOutcome {
            try installation.start(
                ["restore", "primary", "newest", installation.folder.path, "-F", "json"] + options
            ).finish()
        }

        @Test func `a directory with files in it is refused and left alone; with --force it is replaced`() throws {
            try installation.folder.write([1], to: "primary-\(label)/mine/file")

            let refused = try restore()

            try expectFailure(refused, status: 1, code: "directory-not-empty", words: directory, "--force")
            #expect(try installation.folder.read("primary-\(label)/mine/file") == [1])
            let forced = try restore("--force")
            #expect(forced.status == 0, "\(forced.errorText)")
            #expect(try JSONReply(forced).text("Response", "Directory") == directory)
            #expect(!FileManager.default.fileExists(atPath: directory + "/mine"))
            let check = try Program.run(cluster.bin("pg_verifybackup"), [directory])
            #expect(check.status == 0, "\(check.errorText)")
        }

        @Test(arguments: ["base.000001.tar.zstd", "pg_wal.000001.tar.zstd"])
        func `a damaged volume is found and named by verify, and refused by restore, which leaves nothing`(
            volume: String
        ) throws {
            let path = "repository/primary/backup/\(label)/data/\(volume)"
            var bytes = try installation.folder.read(path)
            bytes[bytes.count / 2] ^= 0x04
            try installation.folder.write(bytes, to: path)

            let restored = try restore()
            let found = try installation.run("verify", "primary", label)
            let quick = try installation.run("verify", "primary", label, "--quick")

            try expectFailure(restored, status: 1, code: "object-damaged", words: volume)
            let left = try? FileManager.default.contentsOfDirectory(atPath: directory)
            #expect(left == nil || left == [])
            for outcome in [found, quick] {
                #expect(outcome.status == 3, "\(outcome.errorText)")
                #expect(outcome.text.contains(volume), "\(outcome.text)")
                #expect(outcome.errorText.hasPrefix("error: 1 of "), "\(outcome.errorText)")
            }
        }

        @Test func `a missing volume is found and named by verify, and refused by restore`() throws {
            let volume = "base.000001.tar.zstd"
            try FileManager.default.removeItem(
                atPath: installation.folder.path("repository/primary/backup/\(label)/data/\(volume)"))

            let restored = try restore()
            let found = try installation.run("verify", "primary", label, "--quick")

            #expect(restored.status == 1)
            #expect(restored.errorText.contains(volume), "\(restored.errorText)")
            #expect(found.status == 3)
            #expect(found.text.contains(volume), "\(found.text)")
        }
    }
}
