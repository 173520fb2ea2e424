import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Servers that are not there or do not let us in, and passwords that must not be seen.
    @Suite struct ConnectionFaultTests {
        private let cluster: PostgresCluster
        private let installation: Installation
        private let password = "S3cret-äöü-7f1d"

        init() throws {
            cluster = try PostgresCluster.start(17)
            try cluster.psql("CREATE ROLE repl LOGIN REPLICATION PASSWORD '\(password)'")
            installation = try Installation(cluster, host: "127.0.0.1", user: "repl")
            try #require(installation.administrate("master-key").status == 0)
        }

        private func setPassword(_ verb: String, _ password: String) throws {
            let outcome = try installation.administrate(
                "user", verb, "repl", "--password-file", "-", input: password + "\n")
            try #require(outcome.status == 0, "\(outcome.errorText)")
            #expect(!outcome.text.contains(password) && !outcome.errorText.contains(password))
        }

        @Test func `a wrong password is refused as such, and corrected with pgmoneta-admin`() throws {
            try setPassword("add", "wrong-one")

            let outcome = try installation.run("backup", "primary", "-F", "json", "-v")

            #expect(outcome.status == 1, "\(outcome.errorText)")
            #expect(try JSONReply(outcome).text("Outcome", "Code") == "postgres-authentication-failed")
            #expect(outcome.errorText.contains("\nremedy: ") || outcome.errorText.hasPrefix("remedy: "))
            #expect(!(outcome.text + outcome.errorText).contains("wrong-one"))
            try setPassword("edit", password)
            let label = try installation.backup()
            #expect(try installation.remains() == [])
            #expect(try installation.labels() == [label])
        }

        @Test func `the password is in no reply, no log and no command line`() throws {
            try setPassword("add", password)

            let outcome = try installation.run("backup", "primary", "-v")
            let listed = try installation.run("info", "primary", "newest", "-v")
            let slow = try installation.with(general: ["max_rate = 1M"])
            let run = try slow.start(["backup", "primary", "-v"])
            try installation.waitUntilStored { $0.contains("/data/.pgmoneta-tmp") }
            let commandLine = try Program.check("/bin/cat", ["/proc/\(run.process)/cmdline"])
            run.signal(SIGINT)
            let stopped = try run.finish()

            #expect(outcome.status == 0, "\(outcome.errorText)")
            #expect(commandLine.contains("backup"))
            for text in [outcome, listed, stopped].flatMap({ [$0.text, $0.errorText] }) + [commandLine] {
                #expect(!text.contains(password))
            }
            let files = try Program.run("/bin/grep", ["-rlaF", password, installation.folder.path])
            #expect(files.text.isEmpty)
        }

        @Test func `a server that is not configured is told with those that are`() throws {
            let outcome = try installation.run("backup", "primry", "-F", "json")

            try expectFailure(outcome, status: 2, code: "unknown-server", words: "'primry'", "primary")
            #expect(try installation.stored() == [])
        }
    }
}
