import BackupAPI
import BackupConformance
import BackupEngine
import LocalBackend
import TestSupport
import Testing

@Suite struct CopyTests {
    private let lab = CopyLab()
    private let destination = MemoryBackend(name: "memory:destination")

    private func key(_ path: String, of label: String = CopyLab.label) throws -> ObjectKey {
        try ObjectKey("primary/backup/\(label)/\(path)")
    }

    /// Copies and gives the error.
    private func refusal(includesParents: Bool = false) async throws -> EngineError {
        let error = await #expect(throws: EngineError.self) {
            _ = try await lab.copy(to: destination, includesParents: includesParents)
        }
        return try #require(error)
    }

    @Test func `a copy of a copy over a directory is the same, byte for byte`() async throws {
        try lab.plant(keyID: "k1")
        let folder = try TemporaryFolder()
        let directory = LocalBackend(path: folder.path("repository"))

        let there = try await lab.copy(to: directory)
        _ = try await lab.copy(from: directory, to: destination)

        #expect(CopyLab.backups(on: destination) == CopyLab.backups(on: lab.source))
        #expect(there.copiedObjectCount == 5)
        #expect(there.copiedByteCount == 371_001)
        #expect(there.skippedObjectCount == 0)
        #expect(there.copiedLabels.map(\.string) == [CopyLab.label])
        #expect(destination.contents[try ObjectKey("keys/k1.json")] == CopyLab.wrappedKey("k1"))
        #expect(destination.keys.allSatisfy { !$0.string.contains("/lease/") }, "the lease is given back")
        let description = String(
            decoding: try #require(destination.contents[ObjectKey("repository.json")]), as: UTF8.self)
        #expect(description.contains(#""isEncrypted" : true"#))
        #expect(!description.contains(lab.source.displayName), "it is another repository")
    }

    @Test func `a backup that is there is done at once`() async throws {
        try lab.plant()
        _ = try await lab.copy(to: destination)
        let calls = FaultyBackend(destination) { _ in nil }

        let again = try await lab.copy(to: calls)

        #expect(again.copiedByteCount == 0)
        #expect(again.skippedObjectCount == 5)
        #expect(again.copiedLabels.isEmpty)
        #expect(!calls.calls.contains { $0.key?.string.contains("/data/") == true }, "nothing is read back")
    }

    @Test func `an object that lacks behind a record is told`() async throws {
        try lab.plant()
        _ = try await lab.copy(to: destination)
        _ = try await destination.delete([try key("data/base.000002.tar")])

        let error = try await refusal()

        #expect(error.reason == .objectDamaged)
        #expect(error.summary.contains("'data/base.000002.tar'"))
        #expect(error.summary.contains(destination.displayName))
    }

    @Test func `another backup of that label is not touched`() async throws {
        try lab.plant()
        try lab.plant(seed: 2, on: destination)
        let before = CopyLab.backups(on: destination)

        #expect(try await refusal().reason == .labelTaken)
        #expect(CopyLab.backups(on: destination) == before)
    }

    @Test func `another cluster under the name is refused`() async throws {
        try lab.plant()
        let identity = Array(#"{"systemIdentifier": "8000"}"#.utf8)
        destination.plant(identity, at: try ObjectKey("primary/identity.json"))

        #expect(try await refusal().reason == .otherCluster)
        #expect(CopyLab.backups(on: destination).isEmpty)
    }

    @Test(arguments: [(nil, EngineError.Reason.encryptionRequired), ("a274f418d07c4178", .plainRepository)])
    func `a backup does not come into a repository of the other kind`(
        keyID: String?, reason: EngineError.Reason
    ) async throws {
        try lab.plant(keyID: keyID)
        let description = Array(#"{"format": 1, "id": "x", "isEncrypted": \#(keyID == nil)}"#.utf8)
        destination.plant(description, at: try ObjectKey("repository.json"))

        #expect(try await refusal().reason == reason)
        #expect(CopyLab.backups(on: destination).isEmpty)
    }

    @Test(arguments: ["data/base.000001.tar", "data/pg_wal.000001.tar", "backup.manifest"])
    func `a damaged object at the source is named, and nothing of it is visible`(path: String) async throws {
        try lab.plant()
        lab.source.damage(try key(path)) { $0[$0.count / 2] ^= 4 }

        let error = try await refusal()

        #expect(error.reason == .objectDamaged)
        #expect(error.summary.contains("'\(path)'"))
        #expect(destination.contents[try key(path)] == nil)
        #expect(destination.contents[try key("backup.info")] == nil)
        #expect(destination.unfinishedCount == 0)
    }

    @Test(arguments: ["data/base.000001.tar", "backup.index", "backup.sha512"])
    func `a missing object at the source is named before anything is written`(path: String) async throws {
        try lab.plant()
        _ = try await lab.source.delete([try key(path)])

        #expect(try await refusal().summary.contains("'\(path)' of \(CopyLab.label) is missing"))
        #expect(destination.keys.isEmpty)
    }

    @Test(arguments: ["backup.sha512", "backup.info"])
    func `an altered list or record is refused before anything is written`(path: String) async throws {
        try lab.plant()
        lab.source.damage(try key(path)) { bytes in
            // Still a digit, still a list, still a record.
            let place =
                path == "backup.info" ? bytes.firstRange(of: Array("0.1.0".utf8))?.lowerBound : bytes.count - 140
            if let place { bytes[place] = bytes[place] == 0x31 ? 0x32 : 0x31 }
        }

        #expect(try await refusal().summary.contains("was altered"))
        #expect(destination.keys.isEmpty)
    }

    @Test func `an object that is there with other bytes is replaced, one with the right bytes is kept`() async throws {
        try lab.plant()
        destination.plant([UInt8](repeating: 0, count: 300_000), at: try key("data/base.000001.tar"))
        destination.plant([1, 2], at: try key("data/base.000002.tar"))
        let whole = try #require(lab.source.contents[key("backup.manifest")])
        destination.plant(whole, at: try key("backup.manifest"))

        let outcome = try await lab.copy(to: destination)

        #expect(outcome.skippedObjectCount == 1)
        #expect(outcome.copiedByteCount == 370_001)
        #expect(CopyLab.backups(on: destination) == CopyLab.backups(on: lab.source))
    }

    @Test func `a destination where a run is at work is busy, and says who`() async throws {
        try lab.plant()
        let holder = #"{"host": "far", "process": 42, "operation": "backup", "expiresAt": 9000000000}"#
        destination.plant(Array(holder.utf8), at: try ObjectKey("primary/lease/backup/000000001.json"))

        let error = try await refusal()

        #expect(error.reason == .busy)
        #expect(error.summary.contains("process 42 on far"))
    }

    @Test func `a backup comes with its parents only when that is asked for`() async throws {
        try lab.plant("20240101000000")
        try lab.plant("20240102000000", parent: "20240101000000", seed: 2)
        try lab.plant("20240103000000", parent: "20240102000000", seed: 3)

        let error = try await refusal()
        #expect(error.reason == .parentMissing)
        #expect(error.remedy.contains("--chain"))
        #expect(destination.keys.isEmpty)

        let outcome = try await lab.copy(to: destination, includesParents: true)
        #expect(outcome.copiedLabels.map(\.string) == ["20240101000000", "20240102000000", "20240103000000"])
        #expect(outcome.record.label.string == "20240103000000")
        #expect(CopyLab.backups(on: destination) == CopyLab.backups(on: lab.source))
    }

    @Test func `a parent that is there is enough, another backup in its place is not`() async throws {
        try lab.plant("20240101000000")
        try lab.plant("20240102000000", parent: "20240101000000", seed: 2)
        _ = try await lab.copy("oldest", to: destination)

        let outcome = try await lab.copy(to: destination)
        #expect(outcome.copiedLabels.map(\.string) == ["20240102000000"])

        let other = MemoryBackend()
        try lab.plant("20240101000000", seed: 9, on: other)
        let error = await #expect(throws: EngineError.self) {
            _ = try await lab.copy(to: other, includesParents: true)
        }
        #expect(error?.reason == .labelTaken)
    }
}
