import BackupAPI
import Glibc
import LocalBackend
import TestSupport
import Testing

struct LocalRootTests {
    private let folder: TemporaryFolder
    private let key: ObjectKey

    init() throws {
        folder = try TemporaryFolder()
        key = try ObjectKey("a/b/object")
    }

    private func open(_ url: String) async throws -> any StorageBackend {
        try await LocalBackendFactory.factory().open(TargetSettings(location: try TargetLocation(url)))
    }

    @Test func `the clock of the file system is told, and nothing is left`() async throws {
        let backend = try await open("file://" + folder.path)

        let there = try #require(try await backend.unixSeconds())

        #expect(abs(there - time(nil)) < 10)
        #expect(try folder.tree() == [])
    }

    @Test func `an absent root is an empty place and is not made by looking`() async throws {
        let backend = try await open("file://" + folder.path("root"))

        #expect(try await backend.list(ListRequest(prefix: "")) == ListPage(entries: [], hasMore: false))
        #expect(try await backend.delete([key]).isEmpty)
        #expect(try await backend.sweepUnfinished(prefix: "") == 0)
        #expect(try await backend.freeByteCount() ?? 0 > 0)
        #expect(try await backend.unixSeconds() == nil)
        let error = await #expect(throws: StorageError.self) { try await backend.stat(key) }

        #expect(error?.reason == .notFound)
        #expect(try folder.tree().isEmpty)
    }

    @Test func `the first write makes the root, for its owner only`() async throws {
        let backend = try await open(folder.path("root") + "/")

        try await backend.put(key, bytes: [1, 2, 3])

        #expect(try folder.tree() == ["root/", "root/a/", "root/a/b/", "root/a/b/object"])
        #expect(try folder.read("root/a/b/object") == [1, 2, 3])
        #expect(mode("root") == 0o700 && mode("root/a") == 0o700 && mode("root/a/b") == 0o700)
        #expect(mode("root/a/b/object") == 0o600)
        #expect(backend.displayName == "file://" + folder.path("root"))
    }

    @Test func `a root whose parent is absent is a wrong setting that says what to type`() async throws {
        let backend = try await open(folder.path("no/root"))

        let error = await #expect(throws: StorageError.self) { try await backend.put(key, bytes: [1]) }

        #expect(error?.reason == .misconfigured)
        #expect(error?.remedy.contains("mkdir -p") == true)
        #expect(try folder.tree().isEmpty)
    }

    @Test func `a root that is a file is refused when it is opened`() async throws {
        try folder.write([1], to: "root")

        let error = await #expect(throws: StorageError.self) { try await open(folder.path("root")) }

        #expect(error?.reason == .misconfigured)
        #expect(error?.detail == "ENOTDIR")
        #expect(try folder.read("root") == [1])
    }

    @Test(arguments: ["file://relative/path", "file://me@/x", "file://host:80/x", "file://"])
    func `a location that is no absolute path is refused`(url: String) async throws {
        let error = await #expect(throws: StorageError.self) { try await open(url) }

        #expect(error?.reason == .misconfigured)
    }

    @Test func `deleting removes emptied folders but not the root`() async throws {
        let backend = try await open(folder.path("root"))
        let other = try ObjectKey("a/other")
        try await backend.put(key, bytes: [1])
        try await backend.put(other, bytes: [2])

        _ = try await backend.delete([key])
        #expect(try folder.tree() == ["root/", "root/a/", "root/a/other"])

        _ = try await backend.delete([other])
        #expect(try folder.tree() == ["root/"])
    }

    @Test func `an aborted upload leaves no folder`() async throws {
        let backend = try await open(folder.path("root"))
        let driver = try await backend.beginWrite(key, options: WriteOptions())
        #expect(try folder.tree().count == 4)

        await driver.abort()

        #expect(try folder.tree() == ["root/"])
    }

    private func mode(_ name: String) -> UInt32 {
        var status = stat()
        // Sound: the string and the status live for the length of the call.
        guard unsafe lstat(folder.path(name), &status) == 0 else { return 0 }
        return status.st_mode & 0o777
    }
}
