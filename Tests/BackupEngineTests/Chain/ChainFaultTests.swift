import BackupAPI
import BackupConformance
import BackupEngine
import Foundation
import PostgresClient
import TestSupport
import Testing

/// What can be wrong with a chain, and what is said about it.
@Suite struct ChainFaultTests {
    /// A cluster, and a full backup of it with one incremental on it.
    private struct Chain {
        let cluster: PostgresCluster
        let folder: TemporaryFolder
        let lab: EngineLab
        let full: BackupRecord
        let child: BackupRecord

        init(_ major: Int = 17, isEncrypted: Bool = false) async throws {
            let cluster = try PostgresCluster.start(major, settings: ["autovacuum": "off"])
            let folder = try TemporaryFolder()
            let lab = EngineLab(folder: folder, isEncrypted: isEncrypted)
            let plan = lab.plan(cluster, encryption: isEncrypted ? "aes-256-gcm" : nil)
            try cluster.psql("CREATE TABLE t AS SELECT i, md5(i::text) FROM generate_series(1, 20000) i; CHECKPOINT")
            full = try await onPool { try await lab.backup(plan).record }
            try cluster.psql("UPDATE t SET md5 = 'x' WHERE i < 100")
            child = try await ChainFaultTests.increment("newest", plan, lab)
            (self.cluster, self.folder, self.lab) = (cluster, folder, lab)
        }

        func path(_ label: BackupLabel, _ object: String) -> String {
            folder.path("repository/primary/backup/\(label)/\(object)")
        }
    }

    private static func increment(_ parent: String, _ plan: BackupPlan, _ lab: EngineLab) async throws -> BackupRecord {
        var plan = plan
        plan.parent = ParentRequest(identifier: parent, codecs: lab.codecs)
        let ready = plan
        return try await onPool { try await lab.backup(ready).record }
    }

    @Test func `an incremental backup names its parent and is smaller, and both sizes are told`() async throws {
        let chain = try await Chain()

        #expect(chain.child.type == .incremental)
        #expect(chain.child.parent == chain.full.label)
        #expect(chain.child.parentID == chain.full.id)
        #expect(chain.child.backupBytes * 3 < chain.full.backupBytes)
        #expect(abs(chain.child.restoreBytes - chain.full.restoreBytes) < 1 << 20)
    }

    @Test func `without a backup to build on there is an error that says how to begin`() async throws {
        let cluster = try PostgresCluster.start(17)
        let folder = try TemporaryFolder()
        let lab = EngineLab(folder: folder)

        let error = await #expect(throws: EngineError.self) {
            _ = try await Self.increment("newest", lab.plan(cluster), lab)
        }

        #expect(error?.reason == .noBackup)
        #expect(error?.remedy.contains("pgmoneta-cli backup primary") == true)
    }

    @Test func `without summaries the setting is named before anything is written`() async throws {
        let chain = try await Chain()
        try chain.cluster.psql("ALTER SYSTEM SET summarize_wal = off; SELECT pg_reload_conf()")
        try chain.cluster.waitUntil("SELECT setting = 'off' FROM pg_settings WHERE name = 'summarize_wal'")

        let error = await #expect(throws: PostgresError.self) {
            _ = try await Self.increment("newest", chain.lab.plan(chain.cluster), chain.lab)
        }

        #expect(error?.reason == .summariesMissing)
        #expect(error?.remedy.contains("summarize_wal = on") == true)
        #expect(try await onPool { try await chain.lab.catalog().labels() } == [chain.full.label, chain.child.label])
    }

    @Test func `when the summaries since the parent are gone a full backup is advised`() async throws {
        let chain = try await Chain()
        try chain.cluster.psql("CHECKPOINT; SELECT pg_switch_wal(); CHECKPOINT")
        try chain.cluster.stop()
        let summaries = chain.cluster.dataFolder + "/pg_wal/summaries"
        for name in try FileManager.default.contentsOfDirectory(atPath: summaries) {
            try FileManager.default.removeItem(atPath: summaries + "/" + name)
        }
        try Program.check(
            "/bin/sh", ["-c", "cd '\(chain.cluster.dataFolder)/pg_wal' && ls | grep -v '\(chain.child.wal)' | wc -l"])
        try chain.cluster.start()
        try chain.cluster.psql("ALTER SYSTEM SET summarize_wal = off; SELECT pg_reload_conf()")
        try chain.cluster.psql("SELECT pg_switch_wal(); CREATE TABLE later (i int); SELECT pg_switch_wal(); CHECKPOINT")
        try chain.cluster.psql("CREATE TABLE later2 (i int); SELECT pg_switch_wal(); CHECKPOINT; CHECKPOINT")
        try chain.cluster.psql("ALTER SYSTEM SET summarize_wal = on; SELECT pg_reload_conf()")
        try chain.cluster.waitUntil("SELECT setting = 'on' FROM pg_settings WHERE name = 'summarize_wal'")

        let error = await #expect(throws: PostgresError.self) {
            _ = try await Self.increment("newest", chain.lab.plan(chain.cluster), chain.lab)
        }

        #expect(error?.reason == .summariesMissing)
        #expect(error?.remedy.contains("full backup") == true)
    }

    @Test func `a parent that is not there, or whose manifest is damaged, is named`() async throws {
        let chain = try await Chain()
        let plan = chain.lab.plan(chain.cluster)

        let unknown = await #expect(throws: EngineError.self) {
            _ = try await Self.increment("20200101000000", plan, chain.lab)
        }
        try Self.flip(chain.path(chain.child.label, "backup.manifest.zstd"), at: 100)
        let damaged = await #expect(throws: EngineError.self) {
            _ = try await Self.increment("newest", plan, chain.lab)
        }

        #expect(unknown?.reason == .unknownBackup)
        #expect(damaged?.reason == .objectDamaged)
        #expect(damaged?.detail.contains("backup.manifest") == true)
        // A full backup and its other children are not concerned.
        let sibling = try await Self.increment(chain.full.label.string, plan, chain.lab)
        #expect(sibling.parent == chain.full.label)
        let reports = try await onPool { try await chain.lab.verifyChain(sibling.label) }
        #expect(reports.filter { !$0.isSound }.isEmpty)
    }

    @Test(arguments: [false, true])
    func `damage anywhere in a parent is found through its child and named with its label`(isEncrypted: Bool)
        async throws
    {
        let chain = try await Chain(isEncrypted: isEncrypted)
        let root = chain.path(chain.full.label, "")
        let expected = chain.folder.path("expected")
        _ = try await onPool {
            try await chain.lab.restore(chain.child.label, to: RestorePlan(dataDirectory: expected))
        }
        let objects = try FileManager.default.subpathsOfDirectory(atPath: root).filter { !$0.hasSuffix("data") }
        #expect(objects.count == 6, "\(objects)")

        for (number, object) in objects.enumerated() {
            let whole = try Data(contentsOf: URL(filePath: root + object))
            try Self.flip(root + object, at: whole.count / 2)

            let reports = try await onPool { try await chain.lab.verifyChain(chain.child.label) }
            let found = reports.filter { !$0.isSound }
            #expect(found.map(\.label) == [chain.full.label], "\(object): \(found)")
            let words = found.flatMap { $0.damages + $0.objects.flatMap(\.damages) }.joined()
            #expect(words.contains(object) && words.contains(chain.full.label.string), "\(object): \(words)")
            try await expectRefusedOrRight(chain, chain.folder.path("restored-\(number)"), expected, object)
            try whole.write(to: URL(filePath: root + object))
        }
    }

    /// A restore of the child reads of its parent only what it needs; then it must be right.
    private func expectRefusedOrRight(
        _ chain: Chain, _ target: String, _ expected: String, _ object: String
    ) async throws {
        do {
            _ = try await onPool {
                try await chain.lab.restore(chain.child.label, to: RestorePlan(dataDirectory: target))
            }
            #expect(!object.hasPrefix("data/base") && !object.hasPrefix("backup.in"), "\(object) is needed")
            try ChainOracle.expectEqual(target, expected)
        } catch let error as EngineError {
            #expect(error.isDamage && error.detail.contains(chain.full.label.string), "\(object): \(error)")
        }
    }

    @Test func `a child without its parent says so, and names the parent and the place`() async throws {
        let chain = try await Chain()
        try FileManager.default.removeItem(atPath: chain.path(chain.full.label, ""))

        let error = await #expect(throws: EngineError.self) {
            _ = try await onPool {
                try await chain.lab.restore(
                    chain.child.label, to: RestorePlan(dataDirectory: chain.folder.path("restored")))
            }
        }
        let reports = try await onPool { try await chain.lab.verifyChain(chain.child.label) }

        #expect(error?.reason == .parentMissing)
        #expect(error?.detail.contains("\(chain.full.label), which is not at") == true)
        #expect(error?.remedy.contains("--chain") == true)
        #expect(reports.count == 1 && !reports[0].isSound)
    }

    @Test func `another backup in the place of the parent is refused`() async throws {
        let chain = try await Chain()
        let other = try await Chain()
        let place = chain.path(chain.full.label, "")
        try FileManager.default.removeItem(atPath: place)
        let record = other.path(other.full.label, "backup.info")
        let text = try String(contentsOfFile: record, encoding: .utf8)
            .replacing(other.full.label.string, with: chain.full.label.string)
            .replacing(other.full.systemIdentifier, with: chain.full.systemIdentifier)
        try Program.check("/bin/cp", ["-r", other.path(other.full.label, ""), place])
        try text.write(toFile: place + "backup.info", atomically: false, encoding: .utf8)
        let digest = try Program.check("/usr/bin/sha512sum", [place + "backup.info"]).prefix(128)
        let list = try String(contentsOfFile: place + "backup.sha512", encoding: .utf8).split(separator: "\n")
            .dropLast()
        try (list.joined(separator: "\n") + "\n\(digest)  backup.info\n").write(
            toFile: place + "backup.sha512", atomically: false, encoding: .utf8)

        let error = await #expect(throws: EngineError.self) {
            _ = try await onPool {
                try await chain.lab.restore(
                    chain.child.label, to: RestorePlan(dataDirectory: chain.folder.path("restored")))
            }
        }

        #expect(error?.reason == .chainBroken)
    }

    @Test func `a parent is deleted only together with its children, and they go first`() async throws {
        let chain = try await Chain()
        let taker = LeaseTaker(host: "lab", process: 1, clock: { Int(Date().timeIntervalSince1970) })
        let recorder = FaultyBackend(chain.lab.backend) { _ in nil }
        let watched = EngineLab(folder: chain.folder, backend: recorder)

        let error = await #expect(throws: EngineError.self) {
            _ = try await onPool {
                try await BackupDeletion(catalog: chain.lab.catalog(), taker: taker).run(
                    chain.full.label, cascades: false)
            }
        }
        #expect(error?.reason == .isParent)
        #expect(error?.detail.contains(chain.child.label.string) == true)
        #expect(try await onPool { try await chain.lab.catalog().labels() }.count == 2)
        let gone = try await onPool {
            try await BackupDeletion(catalog: watched.catalog(), taker: taker).run(chain.full.label, cascades: true)
        }

        #expect(gone == [chain.child.label, chain.full.label])
        let records = recorder.calls.filter { $0.kind == .delete }.compactMap(\.key?.string).filter {
            $0.hasSuffix("backup.info")
        }
        #expect(records.map { $0.contains(chain.child.label.string) } == [true, false])
        #expect(try await onPool { try await chain.lab.catalog().labels() }.isEmpty)
    }

    @Test func `an incremental backup whose n-th call fails leaves the chain whole and nothing half`() async throws {
        let chain = try await Chain()
        var number = 1
        while true {
            let failing = number
            let faulty = FaultyBackend(chain.lab.backend) { call in
                call.number == failing
                    ? .failBefore(
                        StorageError(.permissionDenied, operation: .write, key: "x", target: "faulty")) : nil
            }
            let lab = EngineLab(folder: chain.folder, backend: faulty)
            let record = try? await Self.increment(chain.full.label.string, lab.plan(chain.cluster), lab)

            let entries = try await onPool { try await chain.lab.catalog().entries() }
            #expect(entries.allSatisfy { $0.isValid }, "call \(number)")
            let labels = Set(entries.map(\.label))
            #expect(labels.isSuperset(of: [chain.full.label, chain.child.label]), "call \(number)")
            if let record {
                #expect(labels.contains(record.label))
                let reports = try await onPool { try await chain.lab.verifyChain(record.label) }
                #expect(reports.filter { !$0.isSound }.isEmpty, "call \(number)")
            }
            if faulty.callCount < number { break }
            number += 17
        }
        #expect(number > 50)
    }

    @Test func `newest means the newest that is whole on every target, and a target without it fails alone`()
        async throws
    {
        let chain = try await Chain()
        let folder = try TemporaryFolder()
        let second = EngineLab(folder: folder)
        let taker = LeaseTaker(host: "lab", process: 1, clock: { Int(Date().timeIntervalSince1970) })
        let copying = CopyPlan(server: "primary", cryptography: chain.lab.cryptography, taker: taker)
        _ = try await onPool {
            try await BackupCopy(
                plan: copying, from: chain.lab.backend, to: second.backend, progress: ProgressCounter(activity: "")
            ).run(chain.full.label.string)
        }

        let common = try await Self.backup("newest", chain, [chain.lab.backend, second.backend])
        let explicit = try await Self.backup(chain.child.label.string, chain, [chain.lab.backend, second.backend])

        #expect(common.record.parent == chain.full.label)
        #expect(common.targets.allSatisfy { $0.failure == nil })
        #expect(explicit.record.parent == chain.child.label)
        #expect((explicit.targets[1].failure as? EngineError)?.reason == .parentMissing)
        #expect(explicit.targets[0].failure == nil)
        let reports = try await onPool { try await second.verifyChain(common.record.label) }
        #expect(reports.filter { !$0.isSound }.isEmpty)
    }

    private static func backup(
        _ parent: String, _ chain: Chain, _ places: [any StorageBackend]
    ) async throws -> BackupOutcome {
        var plan = chain.lab.plan(chain.cluster)
        plan.parent = ParentRequest(identifier: parent, codecs: chain.lab.codecs)
        let ready = plan
        return try await onPool {
            try await BackupOperation(plan: ready, progress: ProgressCounter(activity: "")).run(
                to: places.enumerated().map { UploadTarget(name: "place-\($0)", backend: $1) })
        }
    }

    private static func flip(_ path: String, at offset: Int) throws {
        var bytes = try Data(contentsOf: URL(filePath: path))
        bytes[offset] ^= 0x10
        try bytes.write(to: URL(filePath: path))
    }
}
