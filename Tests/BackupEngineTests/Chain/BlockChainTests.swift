import BackupEngine
import Foundation
import TestSupport
import Testing
import WALFormat

/// Chains of PostgreSQL 14 to 16, whose changed blocks we find ourselves, against a full backup of the same moment.
///
/// `PGMONETA_CHAIN_SEEDS` and `PGMONETA_CHAIN_FIRST_SEED` as in `ChainPropertyTests`.
@Suite(.serialized) struct BlockChainTests {
    @Test(arguments: [14, 15, 16], ChainPropertyTests.seeds)
    func `every member of a chain restores to what a full backup of that moment is`(
        major: Int, seed: UInt64
    ) async throws {
        let scene = try BlockChainScene(major)
        var workload = try ChainWorkload(scene.cluster, seed: seed)
        var labels = [try await scene.backup().label]
        for _ in 0..<1 + workload.number(below: 6) {
            try workload.run()
            let parent = workload.number(below: 3) == 0 ? workload.number(below: labels.count) : labels.count - 1
            labels.append(try await scene.expectIncrement(on: labels[parent], "seed \(seed)").label)
        }
    }

    /// Each of these changes files in a way of its own: not at all in the log, by a record without blocks, or without a file's name.
    @Test(arguments: [14, 15, 16])
    func `what the log tells in other ways than block by block is in the increment`(major: Int) async throws {
        let scene = try BlockChainScene(major)
        let cluster = scene.cluster
        for table in ["moved", "rewritten", "emptied", "dropped", "prepared", "kept"] {
            try cluster.psql("CREATE TABLE \(table) AS SELECT i, md5(i::text) t FROM generate_series(1, 20000) i")
            // Then the visibility map says that all rows are seen.
            try cluster.psql("VACUUM FREEZE \(table)")
        }
        let space = cluster.socketFolder + "/space"
        try cluster.psql("COPY (SELECT 1) TO PROGRAM 'cat > /dev/null; mkdir \(space)'")
        try cluster.psql("CREATE TABLESPACE space LOCATION '\(space)'")
        try cluster.psql("CREATE DATABASE gone")
        try cluster.psql("CREATE DATABASE moving")
        let full = try await scene.backup()

        for statement in [
            "ALTER TABLE moved SET TABLESPACE space", "VACUUM FULL rewritten", "TRUNCATE emptied", "DROP TABLE dropped",
            "BEGIN; DROP TABLE prepared; PREPARE TRANSACTION 'one'", "COMMIT PREPARED 'one'",
            "BEGIN; CREATE TABLE never AS SELECT 1 AS i; ROLLBACK", "INSERT INTO s.u SELECT generate_series(1, 5000)",
            // Clears a bit of the visibility map, and the record does not say which.
            "DELETE FROM kept WHERE i = 7", "UPDATE kept SET t = 'x' WHERE i = 10000",
            "DROP DATABASE gone", "ALTER DATABASE moving SET TABLESPACE space",
            "CREATE DATABASE copied" + (major >= 15 ? " STRATEGY file_copy" : ""),
            "CREATE DATABASE logged" + (major >= 15 ? " STRATEGY wal_log" : ""),
            "ALTER TABLE emptied SET UNLOGGED", "ALTER TABLE s.u SET LOGGED",
        ] {
            try cluster.psql(statement)
        }

        let child = try await scene.expectIncrement(on: full.label, "the first")
        try cluster.psql("DELETE FROM kept WHERE i > 1000")
        try cluster.psql("VACUUM kept")
        try cluster.psql("INSERT INTO kept SELECT i, 'new' FROM generate_series(1, 3000) i")
        _ = try await scene.expectIncrement(on: child.label, "the second")
    }

    /// Without the log only the summaries say what changed, and one that was altered says nothing.
    @Test(arguments: [(14, false), (15, true), (16, false)])
    func `what was found out about the log serves the next increment on the same parent`(
        major: Int, isEncrypted: Bool
    ) async throws {
        let scene = try BlockChainScene(major, isEncrypted: isEncrypted)
        let cluster = scene.cluster
        try cluster.psql("CREATE TABLE t AS SELECT i, md5(i::text) x FROM generate_series(1, 20000) i")
        let full = try await scene.backup()
        try cluster.psql("UPDATE t SET x = 'first' WHERE i % 500 = 0; CREATE TABLE cut AS SELECT * FROM t")
        for statement in ["pg_switch_wal()", "pg_create_physical_replication_slot('since_here', true)"] {
            try cluster.psql("CHECKPOINT")
            try cluster.psql("SELECT \(statement)")
        }
        _ = try await scene.expectIncrement(on: full.label, "the first")
        #expect(try scene.summaries().count == 1)
        try cluster.psql("UPDATE t SET x = 'second' WHERE i % 700 = 0; TRUNCATE cut; INSERT INTO cut VALUES (1, 'x')")
        try scene.removeWAL()

        _ = try await scene.expectIncrement(on: full.label, "the second")

        let summaries = try scene.summaries()
        #expect(summaries.count == 2)
        let text = try String(contentsOfFile: summaries[0], encoding: .utf8)
        let otherMap = text.replacing("AAAA", with: "AAAB", maxReplacements: 1)
        // As one of another history, in which that checkpoint was at another time.
        let otherEnd = text.replacing(#/("ending" : \{\s+"checksum" : )\d+/#) { "\($0.1)7" }
        for altered in [otherMap, otherEnd] {
            try #require(altered != text)
            try Data(altered.utf8).write(to: URL(filePath: summaries[0]))
            await expectNoIncrement(scene, full)
        }
        try Data(text.utf8).write(to: URL(filePath: summaries[0]))
        _ = try await scene.expectIncrement(on: full.label, "the third")
        try FileManager.default.removeItem(atPath: summaries[0])
        await expectNoIncrement(scene, full)
    }

    /// A machine that is set back to a snapshot writes another log, of the same timeline and at the same positions.
    @Test(arguments: [false, true])
    func `what is known or archived of the log of another history is not used`(isArchived: Bool) async throws {
        let scene = try BlockChainScene(15)
        let cluster = scene.cluster
        try cluster.psql("CREATE TABLE t AS SELECT i, md5(i::text) x FROM generate_series(1, 20000) i")
        let full = try await scene.backup()
        let setBack = try scene.snapshot()
        try cluster.psql("UPDATE t SET x = 'one' WHERE i BETWEEN 101 AND 200")
        let first = try await scene.expectIncrement(on: full.label, "the first")
        if isArchived { try await scene.archiveWAL() }
        try setBack()
        try cluster.psql("UPDATE t SET x = 'two' WHERE i BETWEEN 10101 AND 10200")

        let second = try await scene.expectIncrement(on: full.label, "the second")
        try cluster.psql("UPDATE t SET x = 'six' WHERE i BETWEEN 15101 AND 15200")
        _ = try await scene.expectIncrement(on: full.label, "the third")

        #expect(second.startLSN == first.startLSN)
    }

    @Test func `a parent of another history is refused, though its checkpoint stands where one of this history does`()
        async throws
    {
        let scene = try BlockChainScene(16)
        let cluster = scene.cluster
        try cluster.psql("CREATE TABLE t AS SELECT i, md5(i::text) x FROM generate_series(1, 20000) i")
        let setBack = try scene.snapshot()
        let lost = try await scene.backup()
        try setBack()
        // What tells the checkpoints apart when both are of one second.
        try cluster.psql("INSERT INTO t VALUES (0, 'only here')")
        let full = try await scene.backup()

        await expectNoIncrement(scene, lost)

        #expect(full.checkpointLSN == lost.checkpointLSN)
        _ = try await scene.expectIncrement(on: full.label, "of this history")
    }

    @Test func `an archive that does not answer is no reason to give up`() async throws {
        let outcome = try await BlockChainScene(14).backupBesideBrokenArchive()

        #expect(outcome.record.type == .incremental)
        #expect(outcome.targets.compactMap(\.failure).isEmpty)
    }

    private func expectNoIncrement(_ scene: BlockChainScene, _ parent: BackupRecord) async {
        do {
            _ = try await scene.backup(on: parent.label)
            Issue.record("a backup was taken without the log")
        } catch let error as EngineError {
            #expect(error.reason == .noIncremental, "\(error)")
        } catch {
            Issue.record("\(error)")
        }
    }

    @Test func `no more is read of a table than the blocks that changed`() async throws {
        let cluster = try PostgresCluster.start(15, settings: ["autovacuum": "off", "wal_keep_size": "1GB"])
        let lab = EngineLab(folder: try TemporaryFolder())
        try cluster.psql(
            "CREATE EXTENSION pageinspect; CREATE TABLE t WITH (fillfactor = 90) AS SELECT i, repeat(md5(i::text), 20) x FROM generate_series(1, 20000) i"
        )
        // The first look at a row would change a hint beside it.
        try cluster.psql("VACUUM FREEZE t")
        let plan = lab.plan(cluster)
        let full = try await onPool { try await lab.backup(plan).record }
        try cluster.psql("UPDATE t SET i = -i WHERE i % 100 = 0")
        try cluster.psql("CHECKPOINT")
        let path = try cluster.psql("SELECT pg_relation_filepath('t')")
        let changed = try #require(
            Int(
                try cluster.psql(
                    """
                    SELECT count(*) FROM generate_series(0, pg_relation_size('t') / 8192 - 1) b
                    WHERE (page_header(get_raw_page('t', b::int))).lsn >= '\(full.startLSN)'
                    """)))
        #expect(changed > 100)
        var increment = plan
        increment.parent = ParentRequest(identifier: "newest", codecs: lab.codecs)
        let ready = increment

        let record = try await onPool { try await lab.backup(ready).record }

        let index = try await onPool {
            try await BackupReader(
                catalog: lab.catalog(), label: record.label, codecs: lab.codecs, cryptography: lab.cryptography,
                workers: 2
            ).index()
        }
        let members = index.archives.flatMap(\.members)
        let table = try #require(members.first { $0.restoredPath == path })
        #expect(table.increment.map { Int($0.blockCount) } == changed)
        // All other relations are as they were: of them comes a header alone, or, of free space maps, the file.
        let others = members.filter { $0.kind == .incremental && $0.path != table.path }
        #expect(others.reduce(0) { $0 + Int($1.increment?.blockCount ?? 0) } < 40)
    }
}
