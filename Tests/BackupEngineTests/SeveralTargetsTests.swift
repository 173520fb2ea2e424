import BackupAPI
import BackupConformance
import Codecs
import PostgresClient
import TestSupport
import Testing

@testable import BackupEngine

/// What is wrong with one target concerns that target only.
@Suite struct SeveralTargetsTests {
    /// What makes a target unfit for a backup, although its storage works.
    enum Obstacle: CaseIterable {
        case busy, otherCluster, takesNoPlainBackups, otherMasterKey, newerFormat, damagedKey, leaseLost, volumeCut

        var reason: EngineError.Reason {
            switch self {
            case .busy, .leaseLost: .busy
            case .otherCluster: .otherCluster
            case .takesNoPlainBackups: .encryptionRequired
            case .otherMasterKey: .notRecipient
            case .newerFormat: .unsupportedFormat
            case .damagedKey: .keyDamaged
            case .volumeCut: .objectDamaged
            }
        }

        var isEncrypted: Bool { self == .otherMasterKey }

        func prepare(_ place: MemoryBackend, now: Int) async throws {
            let cryptography = OpenSSLCryptography()
            func make(isEncrypted: Bool) async throws -> Repository {
                try await Repository.openOrCreate(
                    name: "far", backend: place, isEncrypted: isEncrypted, masterKey: nil, cryptography: cryptography)
            }
            switch self {
            case .busy:
                _ = try await Lease.take(
                    backend: place, server: "primary", operation: "backup",
                    holder: Lease.Holder(host: "elsewhere", process: 7, operation: "backup"), mayBeAlive: { _ in true },
                    clock: { now })
            case .otherCluster:
                try await make(isEncrypted: false).requireCluster("1", server: "primary")
            case .takesNoPlainBackups:
                _ = try await make(isEncrypted: true)
            case .otherMasterKey:
                _ = try await make(isEncrypted: true)
                let other = MasterKey(id: "other", secret: Secret([UInt8](repeating: 1, count: 32)))
                _ = try await KeyStore(backend: place, cryptography: cryptography).create(for: other, now: now)
            case .newerFormat:
                let text = #"{"format": 2, "id": "x", "isEncrypted": false}"#
                place.plant(Array(text.utf8), at: try Layout.repository())
            case .damagedKey:
                place.plant(Array("{".utf8), at: try Layout.key("00"))
            case .leaseLost, .volumeCut:
                break
            }
        }
    }

    private static let now = 1_735_689_600
    private let near = MemoryBackend(name: "memory:near")
    private let far = MemoryBackend(name: "memory:far")

    private func backup(
        _ cluster: PostgresCluster, isEncrypted: Bool, to targets: [UploadTarget]
    ) async throws -> BackupOutcome {
        let lab = EngineLab(folder: try TemporaryFolder(), isEncrypted: isEncrypted)
        var plan = lab.plan(cluster, encryption: isEncrypted ? "aes-256-gcm" : nil)
        plan.clock = { Self.now * 1000 }
        plan.taker.clock = { Self.now }
        let operation = BackupOperation(plan: plan, progress: ProgressCounter(activity: ""))
        return try await onPool { try await operation.run(to: targets) }
    }

    /// The far place, where another run takes the lease over when the first volume begins, or which loses the end of a volume that it
    /// said was stored, if that is the obstacle.
    private func place(_ obstacle: Obstacle) -> any StorageBackend {
        let far = far
        switch obstacle {
        case .leaseLost: return leaseLosing(far)
        case .volumeCut:
            return FaultyBackend(far) { call in
                if call.kind == .list, let volume = far.keys.first(where: { $0.string.contains("/data/base.") }) {
                    far.damage(volume) { $0.removeLast() }
                }
                return nil
            }
        default: return far
        }
    }

    private func leaseLosing(_ far: MemoryBackend) -> any StorageBackend {
        FaultyBackend(far) { call in
            if call.kind == .beginWrite, call.key?.string.contains("/data/") == true,
                let key = try? ObjectKey(Layout.leasePrefix("primary", "backup") + "000000002.json")
            {
                far.plant(Array("{}".utf8), at: key)
            }
            return nil
        }
    }

    @Test(arguments: Obstacle.allCases)
    func `a target that cannot take the backup does not spoil the other`(_ obstacle: Obstacle) async throws {
        let cluster = try PostgresCluster.start(17)
        try await obstacle.prepare(far, now: Self.now)
        let targets = [UploadTarget(name: "far", backend: place(obstacle)), UploadTarget(name: "near", backend: near)]
        // What another run may be writing at this moment, under the same label.
        let foreign = try Layout.object("primary", BackupLabel(secondsSince1970: Self.now), "data/base.000001.tar")
        if obstacle == .busy { far.plant([7], at: foreign) }

        let outcome = try await backup(cluster, isEncrypted: obstacle.isEncrypted, to: targets)

        #expect(outcome.targets.map(\.name) == ["far", "near"])
        let failure = outcome.targets[0].failure
        #expect((failure as? EngineError)?.reason == obstacle.reason, "\(String(describing: failure))")
        #expect(outcome.targets[1].failure == nil)
        let record = try Layout.object("primary", outcome.record.label, Layout.recordName)
        #expect(near.contents[record] != nil)
        #expect(far.contents[record] == nil)
        if obstacle == .busy { #expect(far.contents[foreign] == [7]) }
        #expect(near.keys.allSatisfy { !$0.string.contains("/lease/") })
    }

    @Test(arguments: Obstacle.allCases)
    func `a backup without any other target ends with the target's reason`(_ obstacle: Obstacle) async throws {
        let cluster = try PostgresCluster.start(17)
        try await obstacle.prepare(far, now: Self.now)
        let targets = [UploadTarget(name: "far", backend: place(obstacle))]

        let error = await #expect(throws: EngineError.self) {
            _ = try await backup(cluster, isEncrypted: obstacle.isEncrypted, to: targets)
        }

        #expect(error?.reason == obstacle.reason)
    }

    @Test(arguments: [FaultyCall.Kind.sweep, .list])
    func `a target that fails while it is swept does not spoil the other, and keeps what it has under the same label`(
        _ kind: FaultyCall.Kind
    ) async throws {
        let cluster = try PostgresCluster.start(17)
        let label = BackupLabel(secondsSince1970: Self.now)
        let older = try [Layout.recordName, "data/base.000001.tar"].map { try Layout.object("primary", label, $0) }
        for key in older { far.plant([7], at: key) }
        let refused = StorageError(.permissionDenied, operation: .list, target: "memory:far")
        let place = FaultyBackend(far) { call in
            // The lease and the keys are listed before.
            call.kind == kind && (kind == .sweep || call.number > 12) ? .failBefore(refused) : nil
        }

        let outcome = try await backup(
            cluster, isEncrypted: false,
            to: [UploadTarget(name: "far", backend: place), UploadTarget(name: "near", backend: near)])

        #expect((outcome.targets[0].failure as? StorageError)?.reason == .permissionDenied)
        #expect(outcome.targets[1].failure == nil)
        #expect(outcome.record.label == label)
        for key in older { #expect(far.contents[key] == [7]) }
    }
}
