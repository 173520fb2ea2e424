import BackupAPI
import BackupConformance
import Foundation
import TestSupport
import Testing

@testable import BackupEngine

/// Promise 5: any changed, missing, swapped or truncated stored byte is found by `verify` and refused by `restore`.
@Suite struct DamageTests {
    @Test(arguments: [nil, "aes-256-gcm", "aes-256-cbc", "aes-256-ctr"])
    func `each kind of damage to each stored object is found, named and refused`(encryption: String?) async throws {
        let cluster = try PostgresCluster.start(17)
        let folder = try TemporaryFolder()
        let lab = EngineLab(folder: folder, isEncrypted: encryption != nil)
        let label = try await onPool { try await lab.backup(lab.plan(cluster, encryption: encryption)).record.label }
        cluster.remove()
        let root = folder.path("repository/primary/backup/\(label)")
        let paths = try FileManager.default.subpathsOfDirectory(atPath: root).filter {
            !$0.hasPrefix(".")
                && (try? FileManager.default.attributesOfItem(atPath: "\(root)/\($0)"))?[.type] as? FileAttributeType
                    == .typeRegular
        }
        #expect(paths.count == 6, "\(paths)")

        var attempts = 0
        for path in paths {
            let whole = try Data(contentsOf: URL(filePath: "\(root)/\(path)"))
            for damaged in Self.damages(whole) {
                try Self.replace("\(root)/\(path)", with: damaged)
                try await Self.expectFound(lab, label, path: path, attempt: attempts)
                attempts += 1
            }
            try Self.replace("\(root)/\(path)", with: whole)
        }
        try await Self.expectSwapFound(lab, label, root: root)

        #expect(attempts >= 6 * 5)
        let report = try await onPool { try await lab.verify(label) }
        #expect(report.isSound, "the repaired backup is sound again: \(report)")
    }

    /// A plain record, and one with an authentication code.
    @Test(arguments: [GoldenBackup.all[0], GoldenBackup.all[5]])
    func `a changed bit anywhere in the record is damage and nothing else`(_ backup: GoldenBackup) async throws {
        try await onPool {
            let (golden, place) = try await GoldenRepository.inMemory()
            let key = try Layout.object("primary", backup.label, Layout.recordName)
            let whole = try await place.read(key, limit: 1 << 20)
            #expect(whole.count > 1000)
            for position in whole.indices {
                place.plant(whole, at: key)
                place.damage(key) { $0[position] ^= 1 << UInt8(position % 8) }

                let error = await #expect(throws: EngineError.self, "byte \(position)") {
                    _ = try await golden.chain(backup.label)
                }

                #expect(error?.reason == .recordDamaged, "byte \(position)")
            }
        }
    }

    /// Bits flipped at the beginning, in the middle and at the end; one byte cut; the object removed.
    private static func damages(_ whole: Data) -> [Data?] {
        let flips = [0, whole.count / 3, whole.count / 2, whole.count - 1].map { position in
            var damaged = whole
            damaged[position] ^= 1 << UInt8(position % 7)
            return Optional(damaged)
        }
        return flips + [whole.dropLast(), nil]
    }

    private static func replace(_ path: String, with content: Data?) throws {
        try? FileManager.default.removeItem(atPath: path)
        if let content { try content.write(to: URL(filePath: path)) }
    }

    private static func expectFound(_ lab: EngineLab, _ label: BackupLabel, path: String, attempt: Int) async throws {
        let report = try await onPool { try await lab.verify(label) }
        #expect(!report.isSound, "damage \(attempt) of '\(path)'")
        let words = (report.damages + report.objects.flatMap(\.damages)).joined(separator: "\n")
        #expect(words.contains(path), "damage \(attempt) of '\(path)' is not named: \(words)")
        let quick = try await onPool { try await lab.verify(label, depth: .stored) }
        #expect(!quick.isSound, "damage \(attempt) of '\(path)', looking at stored bytes only")
        let target = lab.folder.path("restored-\(attempt)")
        await #expect(throws: (any Error).self, "damage \(attempt) of '\(path)'") {
            try await onPool { _ = try await lab.restore(label, to: RestorePlan(dataDirectory: target)) }
        }
        let left = (try? FileManager.default.contentsOfDirectory(atPath: target)) ?? []
        #expect(left.isEmpty, "a refused restore leaves nothing")
    }

    /// Two volumes with each other's bytes.
    private static func expectSwapFound(_ lab: EngineLab, _ label: BackupLabel, root: String) async throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: "\(root)/data").sorted().map {
            "\(root)/data/\($0)"
        }
        let contents = try files.prefix(2).map { try Data(contentsOf: URL(filePath: $0)) }
        try replace(files[0], with: contents[1])
        try replace(files[1], with: contents[0])
        let report = try await onPool { try await lab.verify(label) }
        #expect(!report.isSound)
        try replace(files[0], with: contents[0])
        try replace(files[1], with: contents[1])
    }
}
