import BackupAPI
import BackupConformance
import Foundation
import TestSupport
import Testing

@testable import BackupEngine

/// What a restore does with a directory that it may replace.
@Suite struct RestoreReplaceTests {
    private static let backup = GoldenBackup.all[2]
    private let folder: TemporaryFolder
    private let golden: GoldenRepository
    private let place: MemoryBackend
    private let before: [String]

    init() async throws {
        (golden, place) = try await GoldenRepository.inMemory()
        folder = try TemporaryFolder()
        for file in ["data/global/pg_control", "data/base/1/1259", "space/PG_17_202406281/5/16390"] {
            try folder.write(Array("precious".utf8), to: file)
        }
        before = try folder.tree()
    }

    private func restore(space: String? = nil) async throws {
        try await onPool {
            let plan = RestorePlan(
                dataDirectory: folder.path("data"), tablespaceMapping: ["/srv/space": space ?? folder.path("space")],
                existing: .replace)
            _ = try await RestoreOperation(
                chain: golden.chain(Self.backup.label), request: plan, cryptography: golden.cryptography,
                progress: ProgressCounter(activity: "")
            ).run()
        }
    }

    private func expectUntouched() throws {
        #expect(try folder.tree() == before)
        #expect(try folder.read("data/global/pg_control") == Array("precious".utf8))
    }

    private func key(_ path: String) throws -> ObjectKey {
        try Layout.object("primary", Self.backup.label, path)
    }

    @Test func `a sound backup takes the place of what is there`() async throws {
        try await restore()

        #expect(try folder.read("data/PG_VERSION") == Array("17\n".utf8))
        #expect(try folder.read("data/global/pg_control").count == 4500)
        #expect(try folder.read("space/PG_17_202406281/5/16390").count == 1500)
    }

    @Test(arguments: [
        "backup.info", "backup.sha512", "backup.index.zstd", "backup.manifest.zstd", "data/base.000001.tar.zstd",
        "data/base.000002.tar.zstd", "data/pg_wal.000001.tar.zstd", "data/16385.000001.tar.zstd",
    ])
    func `what is there stays when an object is missing or cut`(path: String) async throws {
        let key = try key(path)
        let whole = try #require(place.contents[key])

        place.plant(Array(whole.dropLast()), at: key)
        await #expect(throws: EngineError.self) { try await restore() }
        try expectUntouched()

        _ = try await place.delete([key])
        await #expect(throws: EngineError.self) { try await restore() }
        try expectUntouched()
    }

    @Test(arguments: ["backup.info", "backup.sha512", "backup.index.zstd", "backup.manifest.zstd"])
    func `what is there stays when anything but the data is altered`(path: String) async throws {
        place.damage(try key(path)) { $0[$0.count / 2] ^= 0x10 }

        await #expect(throws: EngineError.self) { try await restore() }

        try expectUntouched()
    }

    @Test func `what is there stays when a folder for a tablespace cannot be made`() async throws {
        await #expect(throws: EngineError.self) { try await restore(space: folder.path("nowhere/space")) }
        try expectUntouched()

        await #expect(throws: EngineError.self) { try await restore(space: folder.path("data/base/1/1259")) }
        try expectUntouched()
    }

    @Test func `folders that lie in each other are refused`() async throws {
        let error = await #expect(throws: EngineError.self) { try await restore(space: folder.path("data/space")) }

        #expect(error?.reason == .tablespaceUnusable)
        try expectUntouched()
    }

    @Test func `a folder that a server seems to run on is refused`() async throws {
        try folder.write([], to: "space/postmaster.pid")

        let error = await #expect(throws: EngineError.self) { try await restore() }

        #expect(error?.reason == .directoryUnusable)
        #expect(try folder.read("data/global/pg_control") == Array("precious".utf8))
    }

    @Test func `damage that only the data shows leaves empty folders`() async throws {
        place.damage(try key("data/16385.000001.tar.zstd")) { $0[$0.count / 2] ^= 0x10 }

        let error = await #expect(throws: EngineError.self) { try await restore() }

        #expect(error?.reason == .objectDamaged)
        #expect(try folder.tree() == ["data/", "space/"])
    }
}
