import BackupEngine
import Foundation
import TestSupport
import Testing

/// Chains with branches, made by random workloads, against PostgreSQL's own reconstruction.
///
/// `PGMONETA_CHAIN_SEEDS=40` runs so many seeds for each version, and `PGMONETA_CHAIN_FIRST_SEED` says where they begin; a
/// failure names its seed.
@Suite(.serialized) struct ChainPropertyTests {
    private static func number(_ variable: String) -> UInt64? {
        ProcessInfo.processInfo.environment[variable].flatMap { UInt64($0) }
    }

    static let seeds: [UInt64] = {
        let first = number("PGMONETA_CHAIN_FIRST_SEED") ?? 1
        return Array(first..<first + (number("PGMONETA_CHAIN_SEEDS") ?? 2))
    }()

    /// A tablespace, where it stood and where it goes.
    private struct Space {
        let oid: String
        let old: String
        let new: String

        init(_ tablespace: BackupRecord.Tablespace, beside data: String) {
            oid = String(tablespace.oid)
            old = tablespace.location
            new = "\(data)-\(tablespace.oid)"
        }
    }

    private struct Taken {
        let record: BackupRecord
        let rows: [String]
    }

    @Test(arguments: [17, 18], seeds)
    func `every member of a chain restores to what pg_combinebackup makes of it`(major: Int, seed: UInt64) async throws
    {
        let cluster = try PostgresCluster.start(major, settings: ["autovacuum": "off"])
        let folder = try TemporaryFolder()
        let lab = EngineLab(folder: folder)
        var workload = try ChainWorkload(cluster, seed: seed)

        let backups = try await Self.take(2 + workload.number(below: 9), &workload, cluster, lab)

        let oracle = try ChainOracle(lab, cluster)
        for (number, taken) in backups.enumerated() {
            let chain = Self.chain(taken.record, in: backups)
            let data = folder.path("restored-\(number)")
            let label = taken.record.label
            let spaces = taken.record.tablespaces.map { Space($0, beside: data) }
            let request = RestorePlan(
                dataDirectory: data,
                tablespaceMapping: Dictionary(uniqueKeysWithValues: spaces.map { ($0.old, $0.new) }))
            let snapshot = try await onPool {
                let reports = try await lab.verifyChain(label)
                let unsound = reports.filter { !$0.isSound }
                #expect(unsound.isEmpty, "seed \(seed): \(unsound)")
                #expect(reports.map(\.label) == chain.map(\.label))
                return try await lab.restore(label, to: request)
            }
            #expect(abs(snapshot.byteCount - taken.record.restoreBytes) < 1024, "but for the lines of backup_label")
            let expected = try oracle.combine(
                chain, tablespaces: Dictionary(uniqueKeysWithValues: spaces.map { ($0.oid, $0.new + "-oracle") }))
            try ChainOracle.expectEqual(data, expected)
            let unpacked = folder.path("unpacked-\(number)")
            try await onPool { try await lab.archive(label, unpackedIn: unpacked) }
            try ChainOracle.expectEqual("\(unpacked)/primary-\(label)", data)
            let sameManifest = try Program.run(
                "/usr/bin/cmp", ["\(data)/backup_manifest", "\(unpacked)/primary-\(label)/backup_manifest"])
            #expect(sameManifest.status == 0, "seed \(seed), \(label): \(sameManifest.text)")
            try FileManager.default.removeItem(atPath: unpacked)
            let check = try Program.run(try cluster.bin("pg_verifybackup"), [data])
            #expect(check.status == 0, "seed \(seed), \(label): \(check.errorText)")
            for space in spaces {
                try Program.check("/bin/chown", ["-R", "--reference", cluster.dataFolder, space.new])
            }
            let copy = try PostgresCluster.start(major, onDataFolder: data, settings: ["autovacuum": "off"])
            let rows = try ChainWorkload.fingerprint(copy)
            #expect(rows == taken.rows, "seed \(seed), \(label)")
            copy.remove()
        }
    }

    /// Takes backups: the first full, each other on any that is there, most often on the newest.
    private static func take(
        _ count: Int, _ workload: inout ChainWorkload, _ cluster: PostgresCluster, _ lab: EngineLab
    ) async throws -> [Taken] {
        var backups: [Taken] = []
        for number in 0..<count {
            if number > 0 { try workload.run() }
            var plan = lab.plan(cluster)
            if !backups.isEmpty {
                let parent = workload.number(below: 3) == 0 ? workload.number(below: backups.count) : backups.count - 1
                plan.parent = ParentRequest(identifier: backups[parent].record.label.string, codecs: lab.codecs)
            }
            let rows = try ChainWorkload.fingerprint(cluster)
            let ready = plan
            let record = try await onPool { try await lab.backup(ready).record }
            backups.append(Taken(record: record, rows: rows))
        }
        return backups
    }

    /// The chain of a backup, newest first.
    private static func chain(_ record: BackupRecord, in backups: [Taken]) -> [BackupRecord] {
        var chain = [record]
        while let parent = chain[chain.count - 1].parent,
            let older = backups.first(where: { $0.record.label == parent })
        {
            chain.append(older.record)
        }
        return chain
    }
}
