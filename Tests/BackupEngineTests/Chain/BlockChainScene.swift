import BackupAPI
import BackupConformance
import BackupEngine
import Foundation
import TestSupport
import Testing

/// A cluster of PostgreSQL 14 to 16 and a repository, and how an incremental backup is compared with a full one.
struct BlockChainScene {
    let cluster: PostgresCluster
    private let folder: TemporaryFolder
    private let lab: EngineLab

    init(_ major: Int, isEncrypted: Bool = false) throws {
        // With checksums a change of a hint is in the log, so that trees can be compared byte for byte.
        cluster = try PostgresCluster.start(
            major, settings: ["autovacuum": "off", "wal_keep_size": "1GB", "max_prepared_transactions": "5"],
            initdbArguments: ["--data-checksums"])
        folder = try TemporaryFolder()
        lab = EngineLab(folder: folder, isEncrypted: isEncrypted)
        // In a schema of its own, because it is empty after a restore.
        try cluster.psql(
            "CREATE SCHEMA s; CREATE UNLOGGED TABLE s.u AS SELECT generate_series(1, 1000) i; CREATE INDEX ON s.u (i)")
    }

    /// Takes a backup, a full one where no parent is given.
    func backup(on parent: BackupLabel? = nil) async throws -> BackupRecord {
        var plan = lab.plan(cluster, encryption: lab.masterKey.map { _ in "aes-256-gcm" })
        plan.parent = parent.map { ParentRequest(identifier: $0.string, codecs: lab.codecs) }
        let ready = plan
        return try await onPool { try await lab.backup(ready).record }
    }

    /// Archives all segments of the log that are whole.
    func archiveWAL() async throws {
        let current = try cluster.psql("SELECT pg_walfile_name(pg_current_wal_lsn())").trimmingCharacters(in: .newlines)
        let folder = cluster.dataFolder + "/pg_wal"
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { name in
            name.count == 24 && name < current
        }
        let plan = WALPushPlan(
            server: "primary", compression: nil, encryption: nil, masterKey: nil, workers: 1, codecs: lab.codecs,
            cryptography: lab.cryptography, clock: { time(nil) })
        for name in names.sorted() {
            _ = try await WALPush(plan: plan).run(
                "\(folder)/\(name)", to: [UploadTarget(name: "local", backend: lab.backend)])
        }
    }

    /// Keeps the state of the machine.
    /// - Returns: what sets it back.
    func snapshot() throws -> () throws -> Void {
        try cluster.stop()
        let kept = self.folder.path("snapshot")
        try Program.check("/bin/cp", ["-a", cluster.dataFolder, kept])
        try cluster.start()
        return {
            try cluster.stop()
            try FileManager.default.removeItem(atPath: cluster.dataFolder)
            try Program.check("/bin/cp", ["-a", kept, cluster.dataFolder])
            try cluster.start()
        }
    }

    /// Takes an incremental backup to two places, of which one does not give what it has archived.
    /// - Returns: what became of both.
    func backupBesideBrokenArchive() async throws -> BackupOutcome {
        let places = [MemoryBackend(name: "memory:broken"), MemoryBackend(name: "memory:whole")]
        let fault = StorageError(.unavailable, operation: .read, target: "memory:broken")
        let broken = FaultyBackend(places[0]) { call in
            call.kind == .openRead && call.key?.string.contains("/wal/") == true ? .failBefore(fault) : nil
        }
        func run(_ plan: BackupPlan, _ first: any StorageBackend) async throws -> BackupOutcome {
            let targets = [
                UploadTarget(name: "broken", backend: first), UploadTarget(name: "whole", backend: places[1]),
            ]
            return try await onPool {
                try await BackupOperation(plan: plan, progress: ProgressCounter(activity: "")).run(to: targets)
            }
        }
        var plan = lab.plan(cluster)
        let full = try await run(plan, places[0])
        try cluster.psql("CHECKPOINT")
        plan.parent = ParentRequest(identifier: full.record.label.string, codecs: lab.codecs)
        return try await run(plan, broken)
    }

    /// The paths of all summaries of the log, in the order of the log.
    func summaries() throws -> [String] {
        let folder = folder.path("repository/primary/summary")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        return names.sorted { $0.dropFirst(24) < $1.dropFirst(24) }.map { "\(folder)/\($0)" }
    }

    /// Lets the server remove all WAL that it does not need itself.
    func removeWAL() throws {
        try cluster.psql("ALTER SYSTEM SET wal_keep_size = 0")
        try cluster.psql("SELECT pg_reload_conf()")
        for _ in 0..<3 {
            try cluster.psql("SELECT pg_logical_emit_message(false, 'x', 'x')")
            try cluster.psql("SELECT pg_switch_wal()")
            try cluster.psql("CHECKPOINT")
        }
    }

    /// Takes an incremental backup and, right after it, a full one; restores both, and expects the same files, and a server that
    /// has all rows.
    func expectIncrement(on parent: BackupLabel, _ words: String) async throws -> BackupRecord {
        let rows = try ChainWorkload.fingerprint(cluster)
        // Sessions that end still remove what was temporary, and the next one that looks there prunes it.
        try cluster.waitUntil("SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'client backend'")
        try cluster.psql("VACUUM pg_proc")
        let record = try await backup(on: parent)
        #expect(record.type == .incremental)
        let twin = try await backup()
        let words = "\(words), \(record.label)"
        let (data, other) = (folder.path("\(record.label)"), folder.path("\(twin.label)"))
        try await restore(record, to: data, words)
        try await restore(twin, to: other, words)
        try expectSame(data, other, words)
        for tablespace in record.tablespaces {
            try expectSame("\(data)-\(tablespace.oid)", "\(other)-\(tablespace.oid)", words)
        }
        // Version 14 has no client programs here that fit to it.
        if cluster.major > 14 {
            let check = try Program.run(try cluster.bin("pg_verifybackup"), [data])
            #expect(check.status == 0, "\(words): \(check.errorText)")
        }
        for tablespace in record.tablespaces {
            try Program.check("/bin/chown", ["-R", "--reference", cluster.dataFolder, "\(data)-\(tablespace.oid)"])
        }
        let copy = try PostgresCluster.start(cluster.major, onDataFolder: data, settings: ["autovacuum": "off"])
        defer { copy.remove() }
        let found = try ChainWorkload.fingerprint(copy)
        #expect(found == rows, "\(words)")
        try expectSound(copy, words)
        try FileManager.default.removeItem(atPath: other)
        return record
    }

    private func restore(_ record: BackupRecord, to data: String, _ words: String) async throws {
        let mapping = record.tablespaces.map { ($0.location, "\(data)-\($0.oid)") }
        let request = RestorePlan(
            dataDirectory: data, tablespaceMapping: Dictionary(uniqueKeysWithValues: mapping))
        try await onPool {
            let reports = try await lab.verifyChain(record.label)
            let unsound = reports.filter { !$0.isSound }
            #expect(unsound.isEmpty, "\(words): \(unsound)")
            _ = try await lab.restore(record.label, to: request)
        }
    }

    /// Lets PostgreSQL's own programs look at tables, indexes and page checksums, as far as they are there for the version.
    private func expectSound(_ copy: PostgresCluster, _ words: String) throws {
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
    private func expectSame(_ found: String, _ expected: String, _ words: String) throws {
        let excluded = ["backup_manifest", "backup_label", "pg_control", "pg_wal", "pg_tblspc"].map {
            "--exclude=\($0)"
        }
        let outcome = try Program.run(
            "/usr/bin/diff", ["-r", "-q"] + excluded + [found, expected], timeout: .seconds(300))
        #expect(outcome.status == 0, "\(words): \(outcome.text)\(outcome.errorText)")
    }
}
