import BackupAPI
import BackupConformance
import ChunkBackend
import Foundation
import Testing

struct ChunkBackendTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "chunks-\(UUID().uuidString)").path

    @Test func `a directory of chunks keeps every law`() async throws {
        let path = folder
        defer { try? FileManager.default.removeItem(atPath: path) }

        let report = await BackendConformance(makeBackend: { ChunkBackend(path: path) }, prefix: "").run()

        #expect(report.isConforming, "\(report)")
        #expect(try FileManager.default.subpathsOfDirectory(atPath: path) == [])
    }

    @Test func `an object is a folder with a manifest and chunks`() async throws {
        let backend = ChunkBackend(path: folder)
        defer { try? FileManager.default.removeItem(atPath: folder) }

        try await backend.put(try ObjectKey("a/b"), bytes: [UInt8](repeating: 7, count: 3_000_000))

        let names = try FileManager.default.contentsOfDirectory(atPath: folder + "/d.a/o.b").sorted()
        #expect(names.count == 2 && names[0] == "manifest" && names[1].hasPrefix("v."))
        let chunks = try FileManager.default.contentsOfDirectory(atPath: folder + "/d.a/o.b/" + names[1]).sorted()
        #expect(chunks == ["0", "1", "2"])
    }

    @Test func `a damaged object is an error and not other bytes`() async throws {
        let backend = ChunkBackend(path: folder)
        let key = try ObjectKey("object")
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await backend.put(key, bytes: [UInt8](repeating: 7, count: 3_000_000))
        let version = try FileManager.default.contentsOfDirectory(atPath: folder + "/o.object").sorted()[1]

        try FileManager.default.removeItem(atPath: "\(folder)/o.object/\(version)/1")

        let error = await #expect(throws: StorageError.self) { try await backend.read(key, limit: 4_000_000) }
        #expect(error?.reason == .corrupt)
    }

    @Test func `what a dead process left is swept and the object stays`() async throws {
        let backend = ChunkBackend(path: folder)
        let key = try ObjectKey("object")
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await backend.put(key, bytes: [1])
        try FileManager.default.createDirectory(
            atPath: folder + "/o.object/v.dead", withIntermediateDirectories: false)

        #expect(try await backend.sweepUnfinished(prefix: "") == 1)
        #expect(try await backend.read(key, limit: 10) == [1])
    }
}
