import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// A chain of which one target has the full backup and another one the incremental.
    @Suite struct SplitChainTests {
        @Test func `a chain spread over two targets is told, not taken for whole, and copy puts it together`() throws {
            let cluster = try PostgresCluster.start(17)
            let folder = try TemporaryFolder()
            let other = folder.path("other")
            let installation = try Installation(
                cluster, general: ["target = local, other", "[target:other]", "url = file://\(other)"])
            let parent = try installation.backup()
            let child = try installation.backup(on: parent)
            let parts = [(installation.repository, child), (other, parent)]
            for (place, label) in parts {
                try FileManager.default.removeItem(atPath: "\(place)/primary/backup/\(label)")
            }

            let listed = try JSONReply(try installation.run("list-backup", "primary", "-F", "json"))
            let restored = try installation.run(
                "restore", "primary", "newest", installation.folder.path, "-F", "json")
            let verified = try installation.run("verify", "primary", "newest", "-F", "json")
            let increment = try installation.run("backup", "primary", child, "-F", "json")

            let places = try listed.list("Response", "Backups").map { backup in
                try backup.list("Targets").map { try $0.text("Target") + " " + $0.text("Status") }
            }
            #expect(places == [["local complete", "other absent"], ["local absent", "other complete"]])
            try expectFailure(
                restored, status: 1, code: "parent-missing", words: "\(child) builds on \(parent), which is not at",
                other, "--chain")
            #expect(verified.status == 3, "\(verified.errorText)")
            #expect(verified.text.contains(parent))
            #expect(increment.status == 1, "\(increment.errorText)")
            #expect(increment.errorText.contains(child) && increment.errorText.contains("remedy: "))

            let copied = try installation.run("copy", "primary", parent, "--from", "local", "--to", "other")
            #expect(copied.status == 0, "\(copied.errorText)")
            let healed = try installation.run("restore", "primary", child, installation.folder.path)
            #expect(healed.status == 0, "\(healed.errorText)")
            let check = try Program.run(
                cluster.bin("pg_verifybackup"), [installation.folder.path("primary-\(child)")])
            #expect(check.status == 0, "\(check.errorText)")
        }
    }
}
