import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Copies that follow each backup.
    @Suite struct HotStandbyTests {
        @Test func `after each backup the copy starts with its rows, also when it ran in the meantime`() throws {
            let cluster = try PostgresCluster.start(17)
            let tablespace = cluster.socketFolder + "/space"
            let copies = cluster.socketFolder + "/copies"
            for path in [tablespace, copies, copies + "/space"] {
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
                try Owner(of: cluster.dataFolder).own(path)
            }
            try cluster.psql("CREATE TABLESPACE space LOCATION '\(tablespace)'")
            try cluster.psql("CREATE TABLE t TABLESPACE space AS SELECT 1 AS i")
            let installation = try Installation(
                cluster,
                lines: [
                    "hot_standby = \(copies)", "hot_standby_tablespaces = \(tablespace) -> \(copies)/space/one",
                ])

            for sum in [1, 11] {
                if sum > 1 { try cluster.psql("INSERT INTO t VALUES (10)") }
                let reply = try JSONReply(installation.run("backup", "primary", "-F", "json"))
                let outcome = try reply.list("Response", "HotStandbys")[0]
                #expect(try outcome.text("Status") == "complete")
                #expect(try outcome.text("Directory") == copies + "/primary")
                let copy = try PostgresCluster.start(17, onDataFolder: copies + "/primary")
                #expect(try copy.psql("SELECT sum(i) FROM t") == "\(sum)")
                try copy.psql("INSERT INTO t VALUES (1000)")
                try copy.stop()
            }
        }

        @Test func `a copy that runs is left alone, the backup is there, and the exit code says so`() throws {
            let cluster = try PostgresCluster.start(17)
            let copies = cluster.socketFolder + "/copies"
            try FileManager.default.createDirectory(atPath: copies, withIntermediateDirectories: false)
            try Owner(of: cluster.dataFolder).own(copies)
            let installation = try Installation(cluster, lines: ["hot_standby = \(copies)"])
            _ = try installation.backup()
            let copy = try PostgresCluster.start(17, onDataFolder: copies + "/primary")

            let outcome = try installation.run("backup", "primary", "-F", "json")

            #expect(outcome.status == 5)
            #expect(try JSONReply(outcome).text("Outcome", "Code") == "hot-standby-failed")
            #expect(outcome.errorText.contains("remedy: "))
            #expect(try installation.labels().count == 2)
            #expect(try copy.psql("SELECT 1") == "1")
        }
    }

    /// `progress`.
    @Suite struct BackupProgressTests {
        @Test func `PostgreSQL tells how far a backup is that somebody else takes`() throws {
            let cluster = try PostgresCluster.start(17)
            let installation = try Installation(cluster, general: ["max_rate = 4M"])
            let none = try JSONReply(installation.run("progress", "primary", "-F", "json"))
            #expect(try none.text("Response", "ProgressState") == "none")
            let run = try installation.start(["backup", "primary"])
            var reply = none
            try Waiting.until("the backup is told of: \(reply)", pause: 0) {
                reply = try JSONReply(installation.run("progress", "primary", "-F", "json"))
                return try reply.text("Response", "ProgressState") == "running"
                    && reply.keys.contains("Response/Remaining")
            }
            let (done, total) = try (reply.number("Response", "Done"), reply.number("Response", "Total"))
            #expect(done > 0 && total > 10 << 20)
            #expect(try reply.number("Response", "Percentage") == min(done, total) * 100 / total)
            #expect(try reply.text("Response", "Phase") == "streaming database files")
            run.signal(SIGTERM)
            _ = try run.finish()
        }
    }
}
