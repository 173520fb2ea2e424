import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Backups that are stopped in the middle, or meet another one. The rate is limited, so that the middle lasts.
    @Suite struct InterruptionTests {
        private let cluster: PostgresCluster
        private let installation: Installation

        init() throws {
            cluster = try PostgresCluster.start(17)
            installation = try Installation(cluster, general: ["max_rate = 1M"])
        }

        /// Starts a backup and waits until it writes volumes.
        private func startBackup() throws -> RunningProgram {
            let run = try installation.start(["backup", "primary", "-F", "json"])
            try installation.waitUntilStored { $0.contains("/data/.pgmoneta-tmp") }
            return run
        }

        /// Takes a backup at full speed.
        private func expectNextSucceeds() throws {
            let label = try installation.with(general: []).backup()
            #expect(try installation.labels() == [label])
            #expect(try installation.remains() == [])
        }

        @Test func `an interrupted backup cleans up, says so and ends soon`() throws {
            let run = try startBackup()

            let start = ContinuousClock.now
            run.signal(SIGINT)
            let outcome = try run.finish()
            let length = ContinuousClock.now - start

            try expectFailure(outcome, status: 1, code: "interrupted", words: "interrupted: cleaning up")
            #expect(length < .seconds(120))
            #expect(try installation.remains() == [])
            #expect(try installation.labels() == [])
            try cluster.waitUntil("SELECT count(*) = 0 FROM pg_replication_slots")
            try expectNextSucceeds()
        }

        @Test func `a backup after a killed one says what it removed`() throws {
            let run = try startBackup()
            run.signal(SIGKILL)
            _ = try run.finish()

            let outcome = try installation.with(general: []).run("backup", "primary", "-F", "json")

            #expect(outcome.status == 0)
            #expect(outcome.errorText.hasPrefix("notice: removed what writes of an interrupted run left count="))
            #expect(try JSONReply(outcome).text("Response", "Backup").count == 14)
            #expect(try installation.remains() == [])
        }

        @Test func `a server that stops in the middle ends the backup, and the next one succeeds`() throws {
            let run = try startBackup()

            let start = ContinuousClock.now
            try cluster.stop(.immediate)
            let outcome = try run.finish()
            let length = ContinuousClock.now - start
            let refused = try installation.run("backup", "primary", "-F", "json")

            #expect(outcome.status == 4, "\(outcome.errorText)")
            #expect(outcome.errorText.hasPrefix("error: ") && outcome.errorText.contains("\nremedy: "))
            #expect(length < .seconds(120))
            #expect(refused.status == 4, "\(refused.errorText)")
            #expect(try installation.remains() == [])
            try cluster.start()
            try expectNextSucceeds()
        }

        @Test func `a second backup at the same time is refused and told who is at work`() throws {
            let run = try startBackup()

            let outcome = try installation.run("backup", "primary", "-F", "json")

            try expectFailure(
                outcome, status: 4, code: "busy", words: "backup of 'primary' by process \(run.process) on ",
                "Wait until it has ended")
            run.signal(SIGTERM)
            #expect(try run.finish().status == 1)
            try expectNextSucceeds()
        }
    }
}
