import BackupAPI
import Glibc
import LocalBackend
import TestSupport
import Testing

struct LocalForeignFilesTests {
    private let folder: TemporaryFolder
    private let backend: LocalBackend

    init() throws {
        folder = try TemporaryFolder()
        backend = LocalBackend(path: folder.path("root"))
        try folder.write([7], to: "root/own/object")
        try folder.write([8], to: "outside/secret")
    }

    private func link(_ target: String, at name: String) {
        // Sound: the strings live for the length of the call.
        #expect(unsafe symlink(target, folder.path("root/" + name)) == 0)
    }

    private func reason(_ body: () async throws -> Void) async -> StorageError.Reason? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? StorageError)?.reason
        }
    }

    @Test func `a planted link is neither read nor listed nor followed by a delete`() async throws {
        link("../outside/secret", at: "file")
        let key = try ObjectKey("file")

        #expect(await reason { _ = try await backend.stat(key) } == .invalidKey)
        #expect(await reason { _ = try await backend.read(key, limit: 10) } == .invalidKey)
        #expect(try await positions() == ["own/object"])
        #expect(try await backend.delete([key]).isEmpty)
        #expect(try folder.read("outside/secret") == [8])
    }

    @Test func `a write replaces a planted link and leaves its target alone`() async throws {
        link("../outside/secret", at: "file")
        let key = try ObjectKey("file")

        try await backend.put(key, bytes: [9])

        #expect(try folder.read("outside/secret") == [8])
        #expect(try await backend.read(key, limit: 10) == [9])
        #expect(try await backend.stat(key).byteCount == 1)
    }

    @Test func `a planted link to a folder is not walked through by any call`() async throws {
        link("../outside", at: "folder")
        link(folder.path, at: "own/up")
        for name in ["folder/secret", "own/up/outside/secret"] {
            let key = try ObjectKey(name)

            #expect(await reason { _ = try await backend.stat(key) } == .invalidKey)
            #expect(await reason { _ = try await backend.read(key, limit: 10) } == .invalidKey)
            #expect(await reason { try await backend.put(key, bytes: [1]) } == .invalidKey)
            #expect(try await backend.delete([key])[key]?.reason == .invalidKey)
        }
        #expect(try await positions() == ["own/object"])
        #expect(try await positions(isShallow: true) == ["own/"])
        #expect(try await backend.sweepUnfinished(prefix: "") == 0)
        #expect(try folder.read("outside/secret") == [8])
    }

    @Test func `the root itself may be a link`() async throws {
        // Sound: the strings live for the length of the call.
        #expect(unsafe symlink("root", folder.path("alias")) == 0)
        let backend = LocalBackend(path: folder.path("alias"))

        try await backend.put(try ObjectKey("new"), bytes: [1])

        #expect(try folder.read("root/new") == [1])
    }

    @Test(arguments: ["../", "../outside/", "own/../../outside/", "/", "//", "./", "own//", "own/\u{0}/"])
    func `a prefix that no key can have lists nothing`(prefix: String) async throws {
        let page = try await backend.list(ListRequest(prefix: prefix))

        #expect(page.entries.isEmpty && !page.hasMore)
        #expect(try await backend.sweepUnfinished(prefix: prefix) == 0)
    }

    @Test func `empty folders, pipes and impossible names are not listed`() async throws {
        // Sound: the strings live for the length of the calls.
        #expect(unsafe mkdir(folder.path("root/empty"), 0o700) == 0)
        #expect(unsafe mkdir(folder.path("root/empty/deeper"), 0o700) == 0)
        #expect(unsafe mkfifo(folder.path("root/pipe"), 0o600) == 0)
        try folder.write([1], to: "root/new\nline")
        try folder.write([1], to: "root/" + ObjectKey.temporaryPrefix + "1-x")

        #expect(try await positions() == ["own/object"])
        #expect(try await positions(isShallow: true) == ["own/"])
        #expect(await reason { _ = try await backend.read(try ObjectKey("pipe"), limit: 1) } == .notFound)
        #expect(await reason { _ = try await backend.stat(try ObjectKey("pipe")) } == .notFound)
    }

    @Test func `an object and a folder of the same name do not replace each other`() async throws {
        let below = try ObjectKey("own/object/below")
        let above = try ObjectKey("own")

        #expect(await reason { try await backend.put(below, bytes: [1]) } == .invalidKey)
        #expect(await reason { try await backend.put(above, bytes: [1]) } == .invalidKey)
        #expect(try folder.tree() == ["outside/", "outside/secret", "root/", "root/own/", "root/own/object"])
    }

    private func positions(isShallow: Bool = false) async throws -> [String] {
        try await backend.list(ListRequest(prefix: "", isShallow: isShallow)).entries.map(\.position)
    }
}
