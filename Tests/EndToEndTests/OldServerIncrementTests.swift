import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Incremental backups of servers that cannot make them, as an operator meets them.
    @Suite struct OldServerIncrementTests {
        private static let changes =
            "UPDATE plain SET t = 'changed' WHERE i % 1000 = 0; INSERT INTO aside VALUES (1000, 'new'); DROP TABLE nothing; CREATE TABLE nothing (i int)"

        /// Restores the newest backup and compares all rows.
        private func expectRestored(
            _ landscape: Landscape, _ installation: Installation, hasBigTable: Bool = false
        ) throws {
            let rows = try Landscape.fingerprint(landscape.cluster, hasBigTable: hasBigTable)
            let folder = try TemporaryFolder()
            var arguments = ["restore", "primary", "newest", folder.path]
            for (number, location) in landscape.tablespaces.enumerated() {
                arguments.append("--tablespace-mapping=\(location)=\(folder.path)/space-\(number)")
            }
            let restored = try installation.start(arguments).finish()
            try #require(restored.status == 0, "\(restored.errorText)")
            for number in landscape.tablespaces.indices {
                try Program.check(
                    "/bin/chown", ["-R", "--reference", landscape.cluster.dataFolder, "\(folder.path)/space-\(number)"])
            }
            let data = try #require(try folder.tree().first { $0.hasSuffix("PG_VERSION") && !$0.contains("/base/") })
            let copy = try PostgresCluster.start(
                landscape.cluster.major, onDataFolder: folder.path(String(data.dropLast("/PG_VERSION".count))),
                settings: ["autovacuum": "off", "archive_mode": "off"])
            #expect(try Landscape.fingerprint(copy, hasBigTable: hasBigTable) == rows)
            // There is no pg_checksums of version 14 here.
            if copy.major == 14 { return }
            try copy.stop()
            let checksums = try Program.run(copy.bin("pg_checksums"), ["--check", "-D", copy.dataFolder])
            #expect(checksums.status == 0, "\(checksums.text)\(checksums.errorText)")
        }

        @Test(arguments: [14, 15, 16])
        func `a role with the rights that init writes down takes one, and what it lacks is named`(major: Int) throws {
            let landscape = try Landscape(major)
            let cluster = landscape.cluster
            let installation = try Installation(cluster, user: "repl")
            let made = try installation.administrate(
                "init", "--postgresql", "\(major)", "--part", "sql")
            try #require(made.status == 0, "\(made.errorText)")
            let sql = made.text.split(separator: "\n").filter { $0.hasPrefix("CREATE ROLE") || $0.hasPrefix("GRANT") }
            try cluster.psql(String(try #require(sql.first)))
            _ = try installation.backup()
            try cluster.psql(Self.changes)

            let refused = try installation.run("backup", "primary", "newest")
            #expect(refused.status == 1)
            #expect(refused.errorText.contains("may not execute pg_catalog.pg_"), "\(refused.errorText)")
            for grant in sql.dropFirst() { #expect(refused.errorText.contains(grant), "\(refused.errorText)") }

            for grant in sql.dropFirst() { try cluster.psql(String(grant)) }
            _ = try installation.backup(on: "newest")
            #expect(try installation.run("info", "primary", "newest").text.contains("Incremental: true"))
            try expectRestored(landscape, installation)
        }

        @Test func `a relation that shrinks below the border of its first file`() throws {
            let landscape = try Landscape(16)
            try landscape.addBigTable()
            let installation = try Installation(landscape.cluster)
            _ = try installation.backup()
            try landscape.cluster.psql("DELETE FROM big WHERE i > 1")
            try landscape.cluster.psql("VACUUM big")
            try landscape.cluster.psql("INSERT INTO big SELECT generate_series(5000, 9000)")
            try #require(try landscape.cluster.psql("SELECT pg_relation_size('big') < 1 << 20") == "t")
            _ = try installation.backup(on: "newest")
            try expectRestored(landscape, installation, hasBigTable: true)
        }

        @Test func `what changed is read from the archive where the server has the WAL no more`() throws {
            let server = try ArchivingServer(15)
            try server.cluster.psql("CREATE TABLE t AS SELECT i, md5(i::text) AS x FROM generate_series(1, 20000) i")
            _ = try server.installation.backup()
            try server.giveAway()
            try server.cluster.psql("UPDATE t SET x = 'changed' WHERE i % 100 = 0")
            for _ in 0..<5 { try server.archiveSegment() }
            for _ in 0..<3 { try server.cluster.psql("CHECKPOINT; SELECT pg_switch_wal()") }
            let rows = try server.cluster.psql("SELECT md5(string_agg(t::text, ',' ORDER BY i)) FROM t")

            _ = try server.installation.backup(on: "newest")

            let folder = try TemporaryFolder()
            let restored = try server.installation.run("restore", "primary", "newest", folder.path)
            try #require(restored.status == 0, "\(restored.errorText)")
            let data = try #require(try folder.tree().first { $0.hasSuffix("PG_VERSION") && !$0.contains("/base/") })
            let copy = try PostgresCluster.start(
                15, onDataFolder: folder.path(String(data.dropLast("/PG_VERSION".count))),
                settings: ["archive_mode": "off"])
            #expect(try copy.psql("SELECT md5(string_agg(t::text, ',' ORDER BY i)) FROM t") == rows)
        }

        @Test func `without the WAL there is no incremental backup, and the answer says why`() throws {
            let cluster = try PostgresCluster.start(
                15, settings: ["autovacuum": "off", "min_wal_size": "2MB", "max_wal_size": "2MB"],
                initdbArguments: ["--wal-segsize=1"])
            let installation = try Installation(cluster)
            _ = try installation.backup()
            for _ in 0..<5 { try cluster.endSegment() }
            for _ in 0..<3 { try cluster.psql("CHECKPOINT; SELECT pg_switch_wal()") }

            let refused = try installation.run("backup", "primary", "newest")

            #expect(refused.status == 1)
            #expect(refused.errorText.contains("is not in the archive"), "\(refused.errorText)")
            #expect(refused.errorText.contains("wal_keep_size"))
            let list = try installation.run("list-backup", "primary", "-F", "json")
            #expect(try JSONReply(list).list("Response", "Backups").count == 1)
        }
    }
}
