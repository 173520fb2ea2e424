import BackupAPI
import Foundation
import LocalBackend
import TestSupport
import Testing

/// Real file systems that are full or read-only. Mounting needs root.
@Suite(.enabled(if: geteuid() == 0, "mounting a tmpfs needs root: run the tests as root, as CI does"))
struct LocalFullDiskTests {
    private let folder: TemporaryFolder
    private let key: ObjectKey

    init() throws {
        folder = try TemporaryFolder()
        key = try ObjectKey("a/object")
    }

    /// Mounts a small file system in memory for the length of `body`.
    private func withSmallFileSystem(_ body: (LocalBackend) async throws -> Void) async throws {
        let path = folder.path("disk")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        try run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", path)
        do {
            try await body(LocalBackend(path: path))
        } catch {
            try run("umount", path)
            throw error
        }
        try run("umount", path)
    }

    private func run(_ program: String, _ arguments: String...) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [program] + arguments
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(program) \(arguments)")
    }

    @Test(arguments: [1_000, 300_000])
    func `a full disk is told as such and leaves the old object and nothing else`(pieceByteCount: Int) async throws {
        try await withSmallFileSystem { backend in
            try await backend.put(key, bytes: [1, 2, 3])

            let error = await #expect(throws: StorageError.self) {
                try await backend.put(key) { upload in
                    let piece = [UInt8](repeating: 7, count: pieceByteCount)
                    for _ in 0..<(3_000_000 / pieceByteCount) { try await upload.write(piece) }
                }
            }

            #expect(error?.reason == .noSpace)
            #expect(error?.detail == "ENOSPC")
            #expect(try folder.tree() == ["disk/", "disk/a/", "disk/a/object"])
            #expect(try await backend.read(key, limit: 10) == [1, 2, 3])
            #expect(try await backend.freeByteCount() ?? 0 > 900_000)
        }
    }

    @Test func `a read-only file system is told as such and can still be read`() async throws {
        try await withSmallFileSystem { backend in
            try await backend.put(key, bytes: [1, 2, 3])
            try run("mount", "-o", "remount,ro", folder.path("disk"))

            let refused = await #expect(throws: StorageError.self) { try await backend.put(key, bytes: [4]) }
            let kept = try await backend.delete([key])

            #expect(refused?.reason == .readOnly)
            #expect(refused?.remedy.contains("remount,rw") == true)
            #expect(kept[key]?.reason == .readOnly)
            #expect(try await backend.read(key, limit: 10) == [1, 2, 3])
        }
    }
}
