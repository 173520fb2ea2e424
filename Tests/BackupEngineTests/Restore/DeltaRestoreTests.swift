import BackupAPI
import BackupConformance
import BackupEngine
import Foundation
import TestSupport
import Testing

/// Restores into a data directory that is there already.
@Suite struct DeltaRestoreTests {
    /// A backup of a cluster with a tablespace, restored once, and a second restored copy to compare with.
    private struct Restored {
        let cluster: PostgresCluster
        let folder: TemporaryFolder
        let lab: EngineLab
        let label: BackupLabel
        let data: String
        let expected: String

        init(_ major: Int, isIncremental: Bool = false) async throws {
            let cluster = try PostgresCluster.start(major, settings: ["autovacuum": "off"])
            let folder = try TemporaryFolder()
            let lab = EngineLab(folder: folder)
            let space = cluster.socketFolder + "/space"
            try cluster.psql("COPY (SELECT 1) TO PROGRAM 'cat > /dev/null; mkdir \(space)'")
            try cluster.psql("CREATE TABLESPACE space LOCATION '\(space)'")
            try cluster.psql("CREATE TABLE t AS SELECT i, md5(i::text) FROM generate_series(1, 50000) i")
            try cluster.psql("CREATE TABLE s TABLESPACE space AS SELECT i FROM generate_series(1, 5000) i; CHECKPOINT")
            var plan = lab.plan(cluster)
            let full = plan
            _ = try await onPool { try await lab.backup(full) }
            if isIncremental {
                try cluster.psql("UPDATE t SET md5 = 'x' WHERE i % 5000 = 0; CHECKPOINT")
                plan.parent = ParentRequest(identifier: "newest", codecs: lab.codecs)
                let increment = plan
                _ = try await onPool { try await lab.backup(increment) }
            }
            label = try await onPool { try await lab.catalog().find("newest").label }
            (self.cluster, self.folder, self.lab) = (cluster, folder, lab)
            (data, expected) = (folder.path("data"), folder.path("expected"))
            try await restore(into: data, space: folder.path("space"), .refuse)
            try await restore(into: expected, space: folder.path("expected-space"), .refuse)
        }

        func restore(into data: String, space: String? = nil, _ existing: RestorePlan.Existing) async throws {
            let mapping = space.map { [cluster.socketFolder + "/space": $0] } ?? [:]
            let request = RestorePlan(dataDirectory: data, tablespaceMapping: mapping, existing: existing)
            _ = try await onPool { try await lab.restore(label, to: request) }
        }

        /// Compares the tree with one that was restored from nothing, but for the place of the tablespace.
        func expectAsNew() throws {
            try ChainOracle.expectEqual(data, expected)
            let check = try Program.run(try cluster.bin("pg_verifybackup"), ["-n", data])
            #expect(check.status == 0, "\(check.errorText)")
        }

        /// Runs a server on the directory and changes things.
        func use(_ sql: String) throws {
            try Program.check("/bin/chown", ["-R", "--reference", cluster.dataFolder, folder.path("space")])
            let copy = try PostgresCluster.start(cluster.major, onDataFolder: data)
            try copy.psql(sql)
            try copy.stop()
            copy.remove()
        }
    }

    @Test(arguments: [(17, false), (17, true), (15, false)])
    func `a directory in which a server has worked becomes as new`(major: Int, isIncremental: Bool) async throws {
        let restored = try await Restored(major, isIncremental: isIncremental)
        try restored.use(
            """
            UPDATE t SET md5 = 'changed' WHERE i < 10; DELETE FROM s WHERE i > 100; VACUUM s; CREATE TABLE more (i int);
            CREATE DATABASE other; DROP TABLE t
            """)
        try "notes".write(toFile: restored.data + "/left over", atomically: false, encoding: .utf8)

        try await restored.restore(into: restored.data, .update)

        try restored.expectAsNew()
        #expect(
            try FileManager.default.destinationOfSymbolicLink(
                atPath: restored.data + "/pg_tblspc/"
                    + FileManager.default.contentsOfDirectory(atPath: restored.data + "/pg_tblspc")[0])
                == restored.folder.path("space"))
    }

    @Test func `only volumes with something to write are read, and only blocks that differ are written`() async throws {
        let restored = try await Restored(17)
        let file = try restored.cluster.psql("SELECT pg_relation_filepath('t')")
        let path = "\(restored.data)/\(file)"
        let before = try Data(contentsOf: URL(filePath: path))
        let handle = try FileHandle(forUpdating: URL(filePath: path))
        try handle.seek(toOffset: 3 * 8192 + 5)
        try handle.write(contentsOf: [0xFF, 0xFE])
        try handle.close()
        let recorder = FaultyBackend(restored.lab.backend) { _ in nil }
        let watched = EngineLab(folder: restored.folder, backend: recorder)

        _ = try await onPool {
            try await watched.restore(
                restored.label, to: RestorePlan(dataDirectory: restored.data, existing: .update))
        }

        #expect(try Data(contentsOf: URL(filePath: path)) == before)
        let opened = Set(recorder.calls.filter { $0.kind == .openRead }.compactMap(\.key?.string))
        #expect(!opened.contains { $0.contains("/data/pg_wal.") }, "the WAL is right already: \(opened)")
        try restored.expectAsNew()
    }

    @Test func `a running server, a foreign directory and a foreign tablespace are refused, and nothing is changed`()
        async throws
    {
        let restored = try await Restored(17)
        try "1".write(toFile: restored.data + "/postmaster.pid", atomically: false, encoding: .utf8)
        let running = await #expect(throws: EngineError.self) {
            try await restored.restore(into: restored.data, .update)
        }
        try FileManager.default.removeItem(atPath: restored.data + "/postmaster.pid")
        let foreign = await #expect(throws: EngineError.self) {
            try await restored.restore(into: restored.folder.path("space"), .update)
        }
        try Program.check("/bin/sh", ["-c", "rm '\(restored.data)'/pg_tblspc/*"])
        let tablespace = await #expect(throws: EngineError.self) {
            try await restored.restore(into: restored.data, .update)
        }

        #expect(running?.reason == .directoryUnusable)
        #expect(running?.detail.contains("postmaster.pid") == true)
        #expect(foreign != nil)
        #expect(tablespace?.reason == .directoryNotEmpty, "the tablespace of the server is not this directory's")
        #expect(try restored.cluster.psql("SELECT count(*) FROM s") == "5000")
        #expect(FileManager.default.fileExists(atPath: restored.data + "/global/pg_control"))
    }

    @Test func `damage leaves no directory that starts, and the next run goes on`() async throws {
        let restored = try await Restored(17)
        let root = restored.folder.path("repository/primary/backup/\(restored.label)/data/base.000001.tar.zstd")
        let whole = try Data(contentsOf: URL(filePath: root))
        try restored.use("UPDATE t SET md5 = 'changed'; UPDATE s SET i = 0; CHECKPOINT")
        var damaged = whole
        for position in stride(from: 1000, to: whole.count, by: 50_000) { damaged[position] ^= 1 }
        try damaged.write(to: URL(filePath: root))

        let error = await #expect(throws: EngineError.self) { try await restored.restore(into: restored.data, .update) }
        #expect(error?.isDamage == true)
        #expect(!FileManager.default.fileExists(atPath: restored.data + "/global/pg_control"))
        try whole.write(to: URL(filePath: root))
        try await restored.restore(into: restored.data, .update)

        try restored.expectAsNew()
    }
}
