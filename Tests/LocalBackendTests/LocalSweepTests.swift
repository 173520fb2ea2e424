import BackupAPI
import Foundation
import TestSupport
import Testing

@testable import LocalBackend

struct LocalSweepTests {
    private let folder: TemporaryFolder
    private let backend: LocalBackend

    init() throws {
        folder = try TemporaryFolder()
        backend = LocalBackend(path: folder.path)
    }

    @Test func `what dead processes left is swept, with the folders that become empty`() async throws {
        let remains = ["a/b/", "a/c/d/", ""].map { $0 + ObjectKey.temporaryPrefix + "4194304-dead" }
        for name in remains { try folder.write([1, 2, 3], to: name) }
        try folder.write([7], to: "a/object")

        let count = try await backend.sweepUnfinished(prefix: "")

        #expect(count == 3)
        #expect(try folder.tree() == ["a/", "a/object"])
    }

    @Test func `only what lies below the prefix is swept`() async throws {
        let remains = ["a/", "ab/", "b/"].map { $0 + ObjectKey.temporaryPrefix + "4194304-dead" }
        for name in remains { try folder.write([1], to: name) }

        #expect(try await backend.sweepUnfinished(prefix: "a/") == 1)
        #expect(try await backend.sweepUnfinished(prefix: "a") == 1)
        #expect(try folder.tree() == ["b/", remains[2]])
    }

    @Test func `a temporary is kept while its process lives and swept after it was killed`() async throws {
        let name = "folder/" + ObjectKey.temporaryPrefix + "writer"
        try folder.write([1], to: name)
        // The shell locks the file and becomes `cat`, which keeps the lock and waits for input.
        let writer = Process()
        writer.executableURL = URL(filePath: "/bin/sh")
        writer.arguments = ["-c", #"exec 9>>"$0" && flock 9 && echo locked && exec cat"#, folder.path(name)]
        let input = Pipe()
        let output = Pipe()
        writer.standardInput = input
        writer.standardOutput = output
        try writer.run()
        #expect(output.fileHandleForReading.availableData == Data("locked\n".utf8))

        let living = try await backend.sweepUnfinished(prefix: "")
        #expect(try folder.tree() == ["folder/", name])
        kill(writer.processIdentifier, SIGKILL)
        writer.waitUntilExit()
        let listed = try await backend.list(ListRequest(prefix: ""))
        let dead = try await backend.sweepUnfinished(prefix: "")

        #expect(living == 0)
        #expect(listed.entries.isEmpty)
        #expect(dead == 1)
        #expect(try folder.tree().isEmpty)
    }

    /// NFS takes flock(2) for a lock of fcntl(2) on all bytes, which needs a file that is open for writing.
    @Test func `a temporary is opened so that it can be locked on NFS too`() throws {
        try folder.write([1], to: "temporary")
        let file = try Descriptor.folder(atPath: folder.path).lockableFile("temporary")

        var wholeFile = flock()
        wholeFile.l_type = Int16(F_WRLCK)
        // Sound: the description lives for the length of the call.
        let outcome = unsafe fcntl(file.number, F_SETLK, &wholeFile)

        #expect(outcome == 0, "errno \(errno)")
    }

    @Test func `an upload under way is locked, so that another process keeps it`() async throws {
        let driver = try await backend.beginWrite(try ObjectKey("object"), options: WriteOptions())
        let name = try #require(try folder.tree().first)
        let other = Process()
        other.executableURL = URL(filePath: "/bin/sh")
        other.arguments = ["-c", #"exec 9>>"$0" && ! flock -n 9"#, folder.path(name)]

        try other.run()
        other.waitUntilExit()
        await driver.abort()

        #expect(name.hasPrefix(ObjectKey.temporaryPrefix))
        #expect(other.terminationStatus == 0)
    }
}
