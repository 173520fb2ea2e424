import BackupAPI
import Foundation
import Glibc
import TestSupport
import Testing

@testable import SSHBackend

/// Connections that break or fall silent.
@Suite struct `A connection that fails` {
    @Test func `in the middle of a write leaves nothing visible, and the next write succeeds`() async throws {
        let server = try SSHServer()
        let relay = try Relay(to: server.port)
        defer { relay.close() }
        let backend = try await server.open(port: relay.port)
        let key = try ObjectKey("folder/object")
        let old = sample(1000)
        try await backend.put(key, bytes: old)
        let new = sample(8 << 20, seed: 2)
        relay.set(.cut(afterByteCount: 2 << 20))

        let error = try await storageError { try await backend.put(key, bytes: new) }

        #expect(relay.cutCount == 1)
        #expect(error?.reason == .unavailable)
        #expect(error?.retry == .later)
        #expect(try await backend.read(key, limit: 1 << 24) == old)
        #expect(try await backend.list(ListRequest(prefix: "")).entries.map(\.position) == ["folder/object"])
        try await backend.put(key, bytes: new)
        #expect(try await backend.read(key, limit: 1 << 24) == new)
        // What was under way is known as ours and left over, however young.
        #expect(try await backend.sweepUnfinished(prefix: "") == 1)
        #expect(try server.place.tree() == ["folder/", "folder/object"])
        await backend.close()
    }

    @Test func `in the middle of a ranged read gives an error and no wrong bytes, and the next read succeeds`()
        async throws
    {
        let server = try SSHServer()
        let relay = try Relay(to: server.port)
        defer { relay.close() }
        let backend = try await server.open(port: relay.port)
        let key = try ObjectKey("object")
        let bytes = sample(16 << 20)
        try await backend.put(key, bytes: bytes)
        let range = ByteRange(offset: 1000, count: 15 << 20)
        relay.set(.cut(afterByteCount: 3 << 20))

        let error = try await storageError { _ = try await backend.read(key, range: range, limit: 1 << 24) }

        #expect(error?.reason == .unavailable)
        let run = try await backend.read(key, range: range, limit: 1 << 24)
        #expect(run == Array(bytes[range.offset..<range.end]))
        await backend.close()
    }

    @Test func `between calls is replaced without a word`() async throws {
        let server = try SSHServer()
        let relay = try Relay(to: server.port)
        defer { relay.close() }
        let backend = try await server.open(port: relay.port)
        let key = try ObjectKey("object")
        try await backend.put(key, bytes: [1])
        relay.set(.cut(afterByteCount: 0))

        // The first call meets the cut; it has had no effect and is made again.
        let page = try await backend.list(ListRequest(prefix: ""))

        #expect(relay.cutCount == 1)
        #expect(page.entries.map(\.position) == ["object"])
        #expect(try await backend.stat(key).byteCount == 1)
        await backend.close()
    }

    @Test func `by silence of the network ends within the limit`() async throws {
        let server = try SSHServer()
        let relay = try Relay(to: server.port)
        defer { relay.close() }
        let backend = try await server.open(port: relay.port, settings: ["idle_timeout": "1"])
        relay.set(.silent)
        let start = ContinuousClock.now

        let error = try await storageError { _ = try await backend.stat(try ObjectKey("object")) }

        #expect(error?.reason == .timedOut)
        #expect(ContinuousClock.now - start < .seconds(30))
        await backend.close()
    }

    @Test func `by silence of the server ends within the limit, and the next call starts anew`() async throws {
        let scratch = try Scratch()
        let server = try scratch.write(
            "server", "#!/bin/sh\necho $$ >> \(scratch.path)/pids\nexec \(DirectServer.program)\n", mode: 0o700)
        let backend = try await DirectServer.open(scratch, program: server, settings: ["idle_timeout": "1"])
        let pid = try #require(pid_t(scratch.text("pids").split(separator: "\n")[0]))
        kill(pid, SIGSTOP)

        let error = try await storageError { _ = try await backend.stat(try ObjectKey("object")) }
        let next = try await storageError { _ = try await backend.stat(try ObjectKey("object")) }

        #expect(error?.reason == .timedOut)
        #expect(next?.reason == .notFound)
        await backend.close()
        // The stopped program was ended and waited for.
        #expect(kill(pid, 0) == -1 && errno == ESRCH)
    }

    @Test func `before it answers at all ends within the limit`() async throws {
        let scratch = try Scratch()
        let mute = try scratch.write("mute", "#!/bin/sh\nexec cat >/dev/null\n", mode: 0o700)
        let settings = ["idle_timeout": "1", "connect_timeout": "1"]

        let error = try await storageError {
            _ = try await DirectServer.open(scratch, program: mute, settings: settings)
        }

        #expect(error?.reason == .timedOut)
    }

    @Test func `to a host that does not answer can be cancelled`() async throws {
        let scratch = try Scratch()
        let mute = try scratch.write("mute", "#!/bin/sh\nexec cat >/dev/null\n", mode: 0o700)

        let opening = Task { try await DirectServer.open(scratch, program: mute) }
        opening.cancel()
        let error = try await storageError { _ = try await opening.value }

        #expect(error?.reason == .cancelled)
    }

    @Test func `is not waited for by a call that is cancelled`() async throws {
        let scratch = try Scratch()
        let server = try scratch.write(
            "server", "#!/bin/sh\necho $$ >> \(scratch.path)/pids\nexec \(DirectServer.program)\n", mode: 0o700)
        let backend = try await DirectServer.open(scratch, program: server)
        let pid = try #require(pid_t(scratch.text("pids").split(separator: "\n")[0]))
        kill(pid, SIGSTOP)
        let before = backend.requestCounts()["lstat"] ?? 0

        let call = Task { try await backend.stat(try ObjectKey("object")) }
        while (backend.requestCounts()["lstat"] ?? 0) == before { await Task.yield() }
        call.cancel()
        let error = try await storageError { _ = try await call.value }

        #expect(error?.reason == .cancelled)
        kill(pid, SIGCONT)
        #expect(try await storageError { _ = try await backend.stat(try ObjectKey("object")) }?.reason == .notFound)
        await backend.close()
    }
}
