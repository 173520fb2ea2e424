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
        // With checksums a change of a hint is in the log, so that trees can be compared byte for byte.
        let cluster = try PostgresCluster.start(
            major, settings: ["autovacuum": "off", "wal_keep_size": "1GB"], initdbArguments: ["--data-checksums"])
        let folder = try TemporaryFolder()
        let lab = EngineLab(folder: folder)
        var workload = try ChainWorkload(cluster, seed: seed)
        // In a schema of its own: after a restore it is empty.
        try cluster.psql(
            "CREATE SCHEMA s; CREATE UNLOGGED TABLE s.u AS SELECT generate_series(1, 1000) i; CREATE INDEX ON s.u (i)")
        var labels: [BackupLabel] = []
        for number in 0..<2 + workload.number(below: 6) {
            if number > 0 { try workload.run() }
            let rows = try ChainWorkload.fingerprint(cluster)
            // Sessions that end still remove what was temporary, and the next one that looks there prunes it.
            try cluster.waitUntil("SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'client backend'")
            try cluster.psql("VACUUM pg_proc")
            var plan = lab.plan(cluster)
            let full = plan
            if !labels.isEmpty {
                let parent = workload.number(below: 3) == 0 ? workload.number(below: labels.count) : labels.count - 1
                plan.parent = ParentRequest(identifier: labels[parent].string, codecs: lab.codecs)
            }
            let ready = plan
            let record = try await onPool { try await lab.backup(ready).record }
            labels.append(record.label)
            guard number > 0 else { continue }
            #expect(record.type == .incremental)
            let twin = try await onPool { try await lab.backup(full).record }
            let (data, other) = (folder.path("restored-\(number)"), folder.path("full-\(number)"))
            try await restore(record, lab, to: data, seed)
            try await restore(twin, lab, to: other, seed)
            try Self.expectSame(data, other, "seed \(seed), \(record.label)")
            for tablespace in record.tablespaces {
                try Self.expectSame("\(data)-\(tablespace.oid)", "\(other)-\(tablespace.oid)", "seed \(seed)")
            }
            // Version 14 has no client programs here that fit to it.
            if major > 14 {
                let check = try Program.run(try cluster.bin("pg_verifybackup"), [data])
                #expect(check.status == 0, "seed \(seed), \(record.label): \(check.errorText)")
            }
            for tablespace in record.tablespaces {
                try Program.check("/bin/chown", ["-R", "--reference", cluster.dataFolder, "\(data)-\(tablespace.oid)"])
            }
            let copy = try PostgresCluster.start(major, onDataFolder: data, settings: ["autovacuum": "off"])
            defer { copy.remove() }
            let found = try ChainWorkload.fingerprint(copy)
            #expect(found == rows, "seed \(seed), \(record.label)")
            try Self.expectSound(copy, "seed \(seed), \(record.label)")
            try FileManager.default.removeItem(atPath: other)
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

    private func restore(_ record: BackupRecord, _ lab: EngineLab, to data: String, _ seed: UInt64) async throws {
        let mapping = record.tablespaces.map { ($0.location, "\(data)-\($0.oid)") }
        let request = RestorePlan(
            dataDirectory: data, tablespaceMapping: Dictionary(uniqueKeysWithValues: mapping))
        try await onPool {
            let reports = try await lab.verifyChain(record.label)
            let unsound = reports.filter { !$0.isSound }
            #expect(unsound.isEmpty, "seed \(seed): \(unsound)")
            _ = try await lab.restore(record.label, to: request)
        }
    }

    /// Lets PostgreSQL's own programs look at tables, indexes and page checksums, as far as they are there for the version.
    private static func expectSound(_ copy: PostgresCluster, _ words: String) throws {
        let connection = ["-h", copy.socketFolder, "-p", "\(copy.port)", "-U", copy.superuser]
        let hasAmcheck = try copy.psql("SELECT count(*) FROM pg_available_extensions WHERE name = 'amcheck'") == "1"
        let program = hasAmcheck ? "pg_amcheck" : "pg_dumpall"
        let options = hasAmcheck ? ["--all", "--install-missing", "--heapallindexed"] : []
        let read = try Program.run(copy.bin(program), options + connection)
        #expect(read.status == 0, "\(words): \(read.errorText)")
        // There is no pg_checksums of version 14 here.
        if copy.major == 14 { return }
        try copy.stop()
        let checksums = try Program.run(copy.bin("pg_checksums"), ["--check", "-D", copy.dataFolder])
        #expect(checksums.status == 0, "\(words): \(checksums.text)\(checksums.errorText)")
    }

    /// Compares two trees byte for byte, but for what differs from backup to backup.
    private static func expectSame(_ found: String, _ expected: String, _ words: String) throws {
        let excluded = ["backup_manifest", "backup_label", "pg_control", "pg_wal", "pg_tblspc"].map {
            "--exclude=\($0)"
        }
        let outcome = try Program.run(
            "/usr/bin/diff", ["-r", "-q"] + excluded + [found, expected], timeout: .seconds(300))
        #expect(outcome.status == 0, "\(words): \(outcome.text)\(outcome.errorText)")
    }
}
