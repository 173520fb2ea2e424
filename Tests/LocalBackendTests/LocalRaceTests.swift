import BackupAPI
import LocalBackend
import TestSupport
import Testing

struct LocalRaceTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func `twenty writers share a folder that deletes empty again and again`() async throws {
        let root = folder.path("root")

        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<20 as Range<UInt8> {
                group.addTask {
                    let backend = LocalBackend(path: root)
                    let key = try ObjectKey("deep/er/folder/\(writer)")
                    for round in 0..<20 as Range<UInt8> {
                        try await backend.put(key, bytes: [writer, round])
                        let found = try await backend.read(key, limit: 10)
                        #expect(found == [writer, round])
                        let refused = try await backend.delete([key])
                        #expect(refused.isEmpty)
                    }
                }
            }
            try await group.waitForAll()
        }

        #expect(try folder.tree() == ["root/"])
    }

    @Test func `of twenty processes' worth of creators one wins`() async throws {
        let root = folder.path("root")
        let key = try ObjectKey("lease/backup")

        let winners = try await withThrowingTaskGroup(of: UInt8?.self) { group in
            for writer in 0..<20 as Range<UInt8> {
                group.addTask {
                    do {
                        try await LocalBackend(path: root).put(
                            key, bytes: [writer], options: WriteOptions(ifAbsent: true))
                        return writer
                    } catch let error as StorageError where error.reason == .alreadyExists {
                        return nil
                    }
                }
            }
            return try await group.reduce(into: [UInt8]()) { if let winner = $1 { $0.append(winner) } }
        }

        #expect(winners.count == 1)
        #expect(try folder.read("root/lease/backup") == winners)
        #expect(try folder.tree() == ["root/", "root/lease/", "root/lease/backup"])
    }
}
