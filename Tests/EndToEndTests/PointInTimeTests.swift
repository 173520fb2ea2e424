import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Recovery to a point in time: the rows are those that were there at that point.
    @Suite struct PointInTimeTests {
        /// A server whose table had other rows at each of some points.
        private struct Story {
            /// A point, and the sum of the rows that were committed there.
            struct Point {
                let position: String
                let sum: String
            }

            let server: ArchivingServer
            let points: [Point]

            init(_ major: Int, places: Places? = nil) throws {
                server = try ArchivingServer(major, places: places)
                if let places { try server.prepareTargets(places) }
                let cluster = server.cluster
                try cluster.psql("CREATE TABLE t AS SELECT 1 AS i")
                // As in a cluster that was itself restored to a point.
                try cluster.psql("ALTER SYSTEM SET recovery_target_name = 'long ago'")
                try cluster.psql("ALTER SYSTEM SET recovery_target_action = 'shutdown'")
                try server.backup()
                try cluster.psql("ALTER SYSTEM RESET recovery_target_name")
                try cluster.psql("ALTER SYSTEM RESET recovery_target_action")
                var points: [Point] = []
                func sum() throws -> String { try cluster.psql("SELECT sum(i) FROM t") }
                func text(_ sql: String) throws -> String {
                    try cluster.psql(sql).trimmingCharacters(in: .whitespacesAndNewlines)
                }
                try cluster.psql("INSERT INTO t VALUES (10)")
                try cluster.psql("SELECT pg_create_restore_point('noon')")
                points.append(Point(position: "name=noon", sum: try sum()))
                try cluster.psql("INSERT INTO t VALUES (100)")
                points.append(Point(position: "lsn=\(try text("SELECT pg_current_wal_insert_lsn()"))", sum: try sum()))
                try server.archiveSegment()
                usleep(20_000)
                let moment = try text(
                    "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')")
                usleep(20_000)
                points.append(Point(position: "time=\(moment)", sum: try sum()))
                let before = try sum()
                let transaction = try text(
                    "WITH new AS (INSERT INTO t VALUES (1000) RETURNING 1) SELECT txid_current() FROM new")
                points.append(Point(position: "xid=\(transaction)", sum: try sum()))
                points.append(Point(position: "xid=\(transaction),inclusive=off", sum: before))
                try cluster.psql("INSERT INTO t VALUES (10000)")
                points.append(Point(position: "current", sum: try sum()))
                try server.archiveSegment()
                self.points = points
            }

            /// Restores to a position, lets PostgreSQL recover, and compares the rows.
            func expect(_ point: Point, _ options: [String] = []) throws {
                let folder = try server.restoreFolder()
                let position = point.position == "current" ? "current" : point.position + ",action=promote"
                let outcome = try server.run(["restore", "primary", "newest", position, folder] + options)
                try #require(outcome.status == 0, "\(point.position): \(outcome.errorText)")
                let name = try FileManager.default.contentsOfDirectory(atPath: folder)[0]
                let copy = try PostgresCluster.start(
                    server.cluster.major, onDataFolder: "\(folder)/\(name)", settings: ["archive_mode": "off"])
                try copy.waitUntil("SELECT NOT pg_is_in_recovery()")
                let sum = try copy.psql("SELECT sum(i) FROM t")
                #expect(sum == point.sum, "\(point.position) \(options) on \(server.cluster.major)")
                copy.remove()
                try FileManager.default.removeItem(atPath: folder)
            }
        }

        @Test(arguments: [14, 15, 16, 17, 18])
        func `each position gives the rows that were there`(major: Int) throws {
            let story = try Story(major)
            for point in story.points { try story.expect(point) }
        }

        @Test func `it is the same from a directory, a bucket and an SFTP server`() throws {
            let places = try Places()
            let story = try Story(17, places: places)
            for kind in PlaceKind.allCases {
                for point in story.points.prefix(3) { try story.expect(point, ["--target", kind.rawValue]) }
            }
        }

        @Test func `what the archive does not reach is refused before anything is written`() throws {
            let story = try Story(17)
            let folder = try story.server.restoreFolder()
            func expectRefusal(_ identifier: String, _ position: String, _ code: String = "wal-missing") throws {
                let outcome = try story.server.run(["restore", "primary", identifier, position, folder, "-F", "json"])
                #expect(outcome.status == 1, "\(position): \(outcome.text)\(outcome.errorText)")
                #expect(try JSONReply(outcome).text("Outcome", "Code") == code, "\(position)")
                #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
            }
            let label = try story.server.run(["list-backup", "primary", "-F", "json"])
            let name = try JSONReply(label).list("Response", "Backups")[0].text("Backup")

            try expectRefusal("newest", "lsn=7/0")
            try expectRefusal("newest", "name=midnight")
            try expectRefusal("newest", "time=2099-01-01 00:00:00")
            try expectRefusal("newest", "current,timeline=7")
            try expectRefusal("newest", "lsn=0/1000", "no-backup")
            try expectRefusal("newest", "time=2001-01-01 00:00:00", "no-backup")
            try expectRefusal(name, "lsn=0/1000")
            try expectRefusal(name, "time=2001-01-01 00:00:00")

            let archive = "\(story.server.installation.repository)/primary/wal/00000001"
            let records = try FileManager.default.contentsOfDirectory(atPath: archive).filter {
                $0.hasSuffix(".json") && $0.utf8.count == 29
            }.sorted()
            let last = try story.server.cluster.psql("SELECT pg_current_wal_insert_lsn()")
                .trimmingCharacters(in: .whitespacesAndNewlines)
            try expectRefusal("newest", "lsn=\(last)")
            let gone = "\(archive)/\(records[records.count - 2])"
            try FileManager.default.moveItem(atPath: gone, toPath: folder + ".away")
            try expectRefusal("newest", "current")
            try expectRefusal("newest", story.points[3].position.replacing(/xid=.*/, with: "lsn=\(last)"))
            try FileManager.default.moveItem(atPath: folder + ".away", toPath: gone)
        }

        @Test func `a storage that is away during the recovery stops it, and promotes nobody`() throws {
            let story = try Story(17)
            let server = story.server
            let folder = try server.restoreFolder()
            let outcome = try server.run(["restore", "primary", "newest", "current", folder])
            try #require(outcome.status == 0, "\(outcome.errorText)")
            let data = try "\(folder)/" + FileManager.default.contentsOfDirectory(atPath: folder)[0]
            let repository = server.installation.repository

            try FileManager.default.moveItem(atPath: repository, toPath: repository + ".away")
            #expect(throws: (any Error).self) {
                try PostgresCluster.start(17, onDataFolder: data, settings: ["archive_mode": "off"])
            }
            #expect(FileManager.default.fileExists(atPath: data + "/recovery.signal"))

            try FileManager.default.moveItem(atPath: repository + ".away", toPath: repository)
            let copy = try PostgresCluster.start(17, onDataFolder: data, settings: ["archive_mode": "off"])
            try copy.waitUntil("SELECT NOT pg_is_in_recovery()")
            #expect(try copy.psql("SELECT sum(i) FROM t") == story.points.last?.sum)
        }

        @Test func `a promoted server's timeline is followed`() throws {
            let story = try Story(17)
            let server = story.server
            let cluster = server.cluster
            try cluster.stop()
            try Program.check("/usr/bin/install", ["-m", "600", "/dev/null", cluster.dataFolder + "/standby.signal"])
            try Program.check(
                "/bin/chown", ["--reference", cluster.dataFolder, cluster.dataFolder + "/standby.signal"])
            try cluster.start()
            try cluster.psql("SELECT pg_promote()")
            try cluster.waitUntil("SELECT NOT pg_is_in_recovery()")
            try cluster.psql("INSERT INTO t VALUES (100000)")
            let last = try cluster.psql("SELECT sum(i) FROM t")
            try server.archiveSegment()

            try story.expect(.init(position: "current", sum: last))
            try story.expect(story.points[0])
        }
    }
}
