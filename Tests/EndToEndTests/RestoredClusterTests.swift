import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// What comes out of a backup is the cluster that went in, by PostgreSQL's own judgement.
    @Suite struct RestoredClusterTests {
        @Test func `a cluster of 17 with a table over a gigabyte comes back and passes pg_verifybackup and pg_amcheck`()
            throws
        {
            let landscape = try Landscape(17)
            try landscape.addBigTable()

            try expectRestored(landscape, hasBigTable: true) { try expectSoundByAmcheck($0) }
        }

        @Test(arguments: [14, 15, 18])
        func `a cluster comes back and passes pg_verifybackup and pg_amcheck`(major: Int) throws {
            try expectRestored(Landscape(major)) { try expectSoundByAmcheck($0) }
        }

        @Test func `a cluster of 16, here without amcheck, comes back with sound pages, indexes and dumps`() throws {
            try expectRestored(Landscape(16)) { try expectSoundByReading($0) }
        }

        /// Backs a cluster up, restores it with both tablespaces elsewhere, checks the files, starts it, checks the rows.
        private func expectRestored(
            _ landscape: Landscape, hasBigTable: Bool = false, check: (PostgresCluster) throws -> Void
        ) throws {
            let cluster = landscape.cluster
            let rows = try Landscape.fingerprint(cluster, hasBigTable: hasBigTable)
            let installation = try Installation(cluster)
            let restored = installation.folder.path("restored")
            try FileManager.default.createDirectory(atPath: restored, withIntermediateDirectories: false)
            try Owner(of: cluster.dataFolder).own(restored)
            let moved = [restored + "/one", restored + "/two"]

            let label = try installation.backup()
            let mappings = zip(landscape.tablespaces, moved).map { "--tablespace-mapping=\($0)=\($1)" }
            let outcome = try installation.run("restore", "primary", "newest", mappings[0], mappings[1], restored)

            try #require(outcome.status == 0, "\(outcome.errorText)")
            let data = "\(restored)/primary-\(label)"
            try expectVerified(data, cluster)
            let copy = try PostgresCluster.start(cluster.major, onDataFolder: data, settings: ["autovacuum": "off"])
            #expect(try Landscape.fingerprint(copy, hasBigTable: hasBigTable) == rows)
            #expect(try copy.psql("SELECT count(*) FROM fleeting") == "0")
            try copy.psql("INSERT INTO fleeting VALUES (1)")
            let locations = "SELECT pg_tablespace_location(oid) FROM pg_tablespace WHERE oid > 16383 ORDER BY spcname"
            #expect(try copy.psql(locations) == moved.joined(separator: "\n"))
            try check(copy)
        }

        /// Lets PostgreSQL compare the files with its manifest, and read the WAL where the program is of the same version.
        private func expectVerified(_ data: String, _ cluster: PostgresCluster) throws {
            let options = cluster.major == 14 ? ["-n"] : []
            let outcome = try Program.run(cluster.bin("pg_verifybackup"), options + [data])
            #expect(outcome.status == 0, "\(outcome.errorText)")
        }

        private func expectSoundByAmcheck(_ cluster: PostgresCluster) throws {
            let outcome = try cluster.run("pg_amcheck", "--all", "--install-missing", "--heapallindexed")
            #expect(outcome.status == 0, "\(outcome.text)\(outcome.errorText)")
            #expect(outcome.text.isEmpty)
        }

        private func expectSoundByReading(_ cluster: PostgresCluster) throws {
            for database in ["postgres", Landscape.database] { try cluster.psql("REINDEX SYSTEM", database: database) }
            #expect(try cluster.run("pg_dumpall").status == 0)
            try cluster.stop()
            let outcome = try Program.run(cluster.bin("pg_checksums"), ["--check", "-D", cluster.dataFolder])
            #expect(outcome.status == 0, "\(outcome.text)\(outcome.errorText)")
        }
    }
}
