import TestSupport
import Testing

extension EndToEnd {
    /// A program that is started by something that has no home, such as cron in a container.
    @Suite struct HomelessTests {
        private func run(_ installation: Installation, _ arguments: String...) throws -> ProgramOutcome {
            try Program.run("/usr/bin/env", ["-i"] + installation.command(arguments))
        }

        @Test func `a plain backup is taken, verified and restored without a home`() throws {
            let cluster = try PostgresCluster.start(17)
            let installation = try Installation(cluster)

            let backup = try run(installation, "backup", "primary")
            let verify = try run(installation, "verify", "primary", "newest")
            let restore = try run(installation, "restore", "primary", "newest", installation.folder.path)

            for outcome in [backup, verify, restore] { #expect(outcome.status == 0, "\(outcome.errorText)") }
            cluster.remove()
        }

        @Test func `with a key that is named, a backup is encrypted, and read by that key alone`() throws {
            let cluster = try PostgresCluster.start(17)
            let installation = try Installation(cluster, general: ["encryption = aes-256-gcm"])
            let key = installation.folder.path("elsewhere.key")
            try #require(try installation.administrate("master-key", "--file", key).status == 0)

            let keyless = try run(installation, "backup", "primary", "-F", "json")
            let absent = try run(installation, "list-backup", "primary", "--master-key", key + "2", "-F", "json")
            let backup = try run(installation, "backup", "primary", "--master-key", key)
            let restore = try run(
                installation, "restore", "primary", "newest", installation.folder.path, "--master-key", key)
            let locked = try run(installation, "verify", "primary", "newest", "-F", "json")

            try expectFailure(keyless, status: 1, code: "master-key-missing", words: "--master-key")
            try expectFailure(absent, status: 1, code: "master-key-missing", words: "elsewhere.key2", "--master-key")
            #expect(backup.status == 0, "\(backup.errorText)")
            #expect(restore.status == 0, "\(restore.errorText)")
            try expectFailure(locked, status: 1, code: "master-key-missing", words: "--master-key")
            cluster.remove()
        }
    }
}
