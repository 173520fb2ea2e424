import BackupAPI
import BackupConformance
import LocalBackend
import PostgresClient
import TestSupport
import Testing

@testable import BackupEngine

/// New keys for repositories with real backups.
@Suite struct RotationTests {
    private static let backupCount = 100

    private func lab(_ folder: TemporaryFolder, _ place: any StorageBackend) -> EngineLab {
        EngineLab(folder: folder, backend: place, isEncrypted: true)
    }

    private func rotate(_ place: any StorageBackend, _ lab: EngineLab) async throws -> KeyReport {
        let store = KeyStore(backend: place, cryptography: lab.cryptography)
        let change = KeyChange(
            store, secrets: [try #require(lab.masterKey)], taker: LeaseTaker(host: "lab", process: 1, clock: { 1 }))
        return try await change.run(.rotate(RepositoryKey(lab.cryptography), leavingOut: []), purpose: "key rotate")
    }

    /// Plants authentic records of older backups beside a real one.
    private func plantRecords(like label: BackupLabel, on place: MemoryBackend, _ lab: EngineLab) async throws {
        let catalog = try await lab.catalog()
        let record = try #require(try await catalog.record(label, requiresKey: true))
        let file = RecordFile(keys: catalog.repository.keys, cryptography: lab.cryptography, isEncrypted: true)
        for number in 1..<Self.backupCount {
            var other = record
            other.label = BackupLabel(secondsSince1970: label.secondsSince1970 - number * 3600)
            other.id = "planted-\(number)"
            place.plant(
                try file.encode(other), at: try Layout.object("primary", other.label, Layout.recordName))
        }
    }

    @Test
    func
        `rotating the key of a repository with 100 backups writes key objects only, and a backup from before restores`()
        async throws
    {
        let cluster = try PostgresCluster.start(17)
        _ = try cluster.psql("CREATE TABLE t AS SELECT i, md5(i::text) FROM generate_series(1, 5000) i")
        let folder = try TemporaryFolder()
        let place = MemoryBackend(name: "memory:many")
        let lab = lab(folder, place)
        let plan = lab.plan(cluster, encryption: "aes-256-gcm")
        let label = try await onPool { try await lab.backup(plan).record.label }
        let alone = FaultyBackend(place) { _ in nil }
        let first = try await rotate(alone, lab)
        let before = place.contents
        try await plantRecords(like: label, on: place, lab)
        let many = FaultyBackend(place) { _ in nil }
        let counters = StorageCounters()
        let settings = LayerSettings(
            clock: LayerClock(
                now: { [start = ContinuousClock.now] in .now - start }, sleep: { try await Task.sleep(for: $0) }),
            retry: RetryPolicy { 0 }, executor: BlockingPool())

        let second = try await onPool {
            var settings = settings
            settings.counters = counters
            let observed = try await LayerStack.open(settings) { () async throws(StorageError) in many }
            return try await rotate(observed, lab)
        }

        let written = Set(many.calls.filter { $0.kind == .beginWrite }.compactMap { $0.key?.string })
        #expect(written.allSatisfy { $0.hasPrefix("keys/") }, "\(written)")
        let readOrDeleted = many.calls.compactMap { $0.key?.string }.filter { !$0.hasPrefix("keys/") }
        #expect(Set(readOrDeleted) == ["repository.json"])
        let calls = counters.reading.calls.sorted { $0.key < $1.key }
        print("rotation with \(Self.backupCount) backups: \(counters.reading.callCount) calls, \(calls)")
        // One key more is there than at the first rotation, and that is all that costs more.
        #expect(many.callCount - alone.callCount < 10 && many.callCount < 80, "\(alone.callCount), \(many.callCount)")
        for (key, bytes) in before where !key.string.hasPrefix("keys/") { #expect(place.contents[key] == bytes) }
        #expect(first.keys.count == 2 && second.keys.count == 3)

        try await onPool {
            let entries = try await lab.catalog().entries()
            #expect(entries.count == Self.backupCount && entries.count(where: \.isValid) == Self.backupCount)
            #expect(try await lab.verify(label).isSound)
            let next = try await lab.backup(plan).record
            #expect(next.keyID == second.keys.last?.id)
            for label in [label, next.label] {
                _ = try await lab.restore(label, to: RestorePlan(dataDirectory: folder.path("restored-\(label)")))
            }
        }
        cluster.remove()
        let again = try PostgresCluster.start(17, onDataFolder: folder.path("restored-\(label)"))
        #expect(try again.psql("SELECT count(*) FROM t") == "5000")
        again.remove()
    }

    @Test func `a target that missed a rotation gets the new key with the next backup, with all of its recipients`()
        async throws
    {
        let cluster = try PostgresCluster.start(17)
        let folder = try TemporaryFolder()
        let (near, far) = (MemoryBackend(name: "memory:near"), MemoryBackend(name: "memory:far"))
        let lab = lab(folder, near)
        let plan = lab.plan(cluster, encryption: "aes-256-gcm")
        let host = try #require(lab.masterKey)
        func backup() async throws -> BackupRecord {
            let targets = [far, near].map { UploadTarget(name: $0.displayName, backend: $0) }
            return try await onPool {
                let operation = BackupOperation(plan: plan, progress: ProgressCounter(activity: ""))
                return try await operation.run(to: targets).record
            }
        }
        let first = try await backup()
        let store = KeyStore(backend: near, cryptography: lab.cryptography)
        let taker = LeaseTaker(host: "lab", process: 1, clock: { Int(first.startedAt) + 10 })
        let recipient = try Recipient(KeyLab.other, cryptography: lab.cryptography)
        let change = KeyChange(store, secrets: [host, KeyLab.other], taker: taker)
        _ = try await change.run(.add(recipient), purpose: "key add")
        let report = try await change.run(
            .rotate(try RepositoryKey(lab.cryptography), leavingOut: []), purpose: "key rotate")

        let second = try await backup()

        #expect(second.keyID == report.keys.last?.id && second.keyID != first.keyID)
        for place in [near, far] {
            let repository = try await Repository.open(
                name: "x", backend: place, masterKey: KeyLab.other, cryptography: lab.cryptography)
            #expect(repository?.keys.currentID == second.keyID, "\(place.displayName)")
        }
    }
}
