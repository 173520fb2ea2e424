import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// `kill -9` at any moment of a backup.
    @Suite struct KillTests {
        private let killCount = 50

        @Test
        func
            `killed backups leave the older ones whole, nothing in the list, and nothing that the next does not sweep`()
            throws
        {
            let cluster = try PostgresCluster.start(17)
            try cluster.psql("CREATE TABLE t AS SELECT i, md5(i::text) FROM generate_series(1, 150000) i")
            let installation = try Installation(cluster)
            var done = [try installation.backup()]
            let start = ContinuousClock.now
            done.append(try installation.backup())
            var length = ContinuousClock.now - start

            var killedCount = 0
            for number in 0..<3 * killCount where killedCount < killCount {
                let begin = ContinuousClock.now
                let run = try installation.start(["backup", "primary", "-F", "json"])
                usleep(UInt32(length / .microseconds(1)) * UInt32(killedCount) / UInt32(killCount))
                run.signal(SIGKILL)
                let outcome = try run.finish()
                if outcome.status == 0 {
                    // Backups have become faster than the one that was measured.
                    length = min(length, ContinuousClock.now - begin) * 0.95
                    done.append(try JSONReply(outcome).text("Response", "Backup"))
                } else {
                    // Anything else would mean that the run before was in the way.
                    #expect(outcome.status == 128 + SIGKILL, "kill \(number): \(outcome.errorText)")
                    killedCount += 1
                }
                if number % 10 == 9 { try expectWhole(installation, atLeast: done) }
            }

            #expect(killedCount == killCount)
            done.append(try installation.backup())
            try expectWhole(installation, atLeast: done)
            #expect(try installation.remains() == [])
            try cluster.waitUntil("SELECT count(*) = 0 FROM pg_replication_slots")
        }

        @Test func `killed restores leave nothing that would start, and one with --force replaces it`() throws {
            let cluster = try PostgresCluster.start(17)
            let installation = try Installation(cluster)
            let label = try installation.backup()
            let directory = installation.folder.path("primary-\(label)")
            let arguments = ["restore", "primary", label, installation.folder.path, "--force"]
            let start = ContinuousClock.now
            try #require(installation.start(arguments).finish().status == 0)
            let length = ContinuousClock.now - start

            var killedCount = 0
            for number in 0..<16 {
                let run = try installation.start(arguments)
                usleep(UInt32(length / .microseconds(1)) * UInt32(number) / 16)
                run.signal(SIGKILL)
                let status = try run.finish().status
                let isThere = FileManager.default.fileExists(atPath: directory + "/global/pg_control")
                if status != 0 { killedCount += 1 }
                // It is the whole directory as long as nothing was done yet, and again when all was done.
                if isThere { #expect(try isVerified(directory, by: cluster), "kill \(number)") }
            }

            #expect(killedCount > 5)
            let outcome = try installation.start(arguments).finish()
            #expect(outcome.status == 0, "\(outcome.errorText)")
            #expect(try isVerified(directory, by: cluster))
        }

        private func isVerified(_ directory: String, by cluster: PostgresCluster) throws -> Bool {
            try Program.run(cluster.bin("pg_verifybackup"), [directory]).status == 0
        }

        /// A run that is killed between its commit and its reply has made a backup, so there may be more than `done`.
        private func expectWhole(_ installation: Installation, atLeast done: [String]) throws {
            let labels = try installation.labels()
            #expect(Set(done).isSubset(of: labels))
            for label in labels {
                let outcome = try installation.run("verify", "primary", label, "--quick")
                #expect(outcome.status == 0, "\(label): \(outcome.errorText)\(outcome.text)")
            }
        }
    }
}
