import BackupAPI
import Synchronization
import TestSupport
import Testing

@testable import S3Backend

/// What happens when connections break and the server is busy: parts and ranges are tried again, the rest is told.
struct BrokenConnectionTests {
    let slowDown = FaultyProxy.Action.answer(
        status: "503 Slow Down", headers: "Retry-After: 0\r\n", body: "<Error><Code>SlowDown</Code></Error>")
    let internalError = FaultyProxy.Action.answer(
        status: "500 Internal Server Error", body: "<Error><Code>InternalError</Code></Error>")

    func error(_ body: () async throws -> Void) async -> StorageError? {
        do {
            try await body()
            return nil
        } catch {
            return error as? StorageError
        }
    }

    @Test func `a part that breaks off is sent again, and nothing else`() async throws {
        let server = try SeaweedServer.shared()
        let proxy = try FaultyProxy(to: server.httpPort) { head, repetition in
            head.contains("partNumber=2&") && repetition < 2 ? .cutRequest(after: 1_000_000) : .relay
        }
        let backend = try await server.backend(prefix: "broken/part", through: proxy)
        let bytes = Samples.bytes(21 << 20, seed: 11)

        try await backend.put(ObjectKey("object"), bytes: bytes)

        #expect(backend.requestCounts()["UploadPart"] == 5 + 2)
        #expect(backend.requestCounts()["CreateMultipartUpload"] == 1)
        #expect(try await backend.read(ObjectKey("object"), limit: bytes.count) == bytes)
    }

    @Test func `a body that breaks off is taken up where it broke`() async throws {
        let server = try SeaweedServer.shared()
        let direct = try await server.backend(prefix: "broken/body")
        let bytes = Samples.bytes(20 << 20, seed: 12)
        try await direct.put(ObjectKey("object"), bytes: bytes)
        let proxy = try FaultyProxy(to: server.httpPort) { head, repetition in
            head.contains("Range: bytes=8388608-") ? .cutAnswer(after: 3_000_000) : .relay
        }
        let backend = try await server.backend(prefix: "broken/body", through: proxy)

        let found = try await backend.read(ObjectKey("object"), limit: bytes.count)

        #expect(found == bytes)
        #expect(backend.requestCounts() == ["GetObject": 4])
        let starts = proxy.heads.compactMap { $0.firstRange(of: "Range: bytes=").map { range in range.upperBound } }
        #expect(starts.count == 4)
        let resumed = proxy.heads.contains { head in
            guard let mark = head.firstRange(of: "Range: bytes="), head.contains("If-Match: ") else { return false }
            let start = Int(head[mark.upperBound...].prefix { $0.isNumber }) ?? 0
            return start > 8_388_608 + 2_000_000 && start < 8_388_608 + 3_000_000
        }
        #expect(resumed)
    }

    @Test func `with a third of all parts and ranges refused or cut, everything arrives`() async throws {
        let server = try SeaweedServer.shared()
        let numbers = Mutex(SeededNumbers(seed: 13))
        let (slowDown, internalError) = (slowDown, internalError)
        let proxy = try FaultyProxy(to: server.httpPort) { head, _ in
            guard head.contains("partNumber=") || head.hasPrefix("GET ") else { return .relay }
            return numbers.withLock { numbers in
                switch Int.random(in: 0..<12, using: &numbers) {
                case 0: slowDown
                case 1: internalError
                case 2: .cutRequest(after: 100_000)
                case 3: .cutAnswer(after: 700_000)
                default: .relay
                }
            }
        }
        let backend = try await server.backend(prefix: "broken/third", through: proxy)
        let bytes = Samples.bytes(60 << 20, seed: 14)

        try await backend.put(ObjectKey("object"), bytes: bytes)
        let found = try await backend.read(ObjectKey("object"), limit: bytes.count)

        #expect(found == bytes)
    }

    @Test func `a part that never arrives fails the object and leaves nothing`() async throws {
        let server = try SeaweedServer.shared()
        let slowDown = slowDown
        let proxy = try FaultyProxy(to: server.httpPort) { head, _ in
            head.contains("partNumber=2&") ? slowDown : .relay
        }
        let backend = try await server.backend(prefix: "broken/never", through: proxy)

        let found = await error { try await backend.put(ObjectKey("object"), bytes: Samples.bytes(21 << 20, seed: 15)) }

        #expect(found?.reason == .throttled)
        #expect(try await backend.list(ListRequest(prefix: "")).entries.isEmpty)
        #expect(try await backend.unfinishedUploadCount(prefix: "") == 0)
    }

    @Test func `a create-only object whose answer is lost is known as our own`() async throws {
        let server = try SeaweedServer.shared()
        let proxy = try FaultyProxy(to: server.httpPort) { head, repetition in
            let isDecisive =
                head.hasPrefix("PUT /tests/broken/lost/small ")
                || head.contains("POST /tests/broken/lost/large?uploadId")
            return isDecisive && repetition == 0 ? .cutAnswer(after: 0) : .relay
        }
        let backend = try await server.backend(prefix: "broken/lost", through: proxy)
        let large = Samples.bytes(6 << 20, seed: 16)
        let onlyNew = WriteOptions(ifAbsent: true)

        try await backend.put(ObjectKey("small"), bytes: [1], options: onlyNew)
        try await backend.put(ObjectKey("large"), bytes: large, options: onlyNew)
        let found = await error { try await backend.put(ObjectKey("small"), bytes: [2], options: onlyNew) }

        #expect(found?.reason == .alreadyExists)
        #expect(try await backend.read(ObjectKey("small"), limit: 1) == [1])
        #expect(try await backend.read(ObjectKey("large"), limit: large.count) == large)
        #expect(backend.requestCounts()["HeadObject"] == 2)
    }

    @Test func `an error in the body of a success is an error`() async throws {
        let server = try SeaweedServer.shared()
        let proxy = try FaultyProxy(to: server.httpPort) { head, repetition in
            guard head.contains("?uploadId"), head.hasPrefix("POST") else { return .relay }
            if head.contains("twice"), repetition > 0 { return .relay }
            return .answer(status: "200 OK", body: "<?xml version=\"1.0\"?>\n<Error><Code>InternalError</Code></Error>")
        }
        let backend = try await server.backend(prefix: "broken/success", through: proxy)
        let bytes = Samples.bytes(6 << 20, seed: 17)

        try await backend.put(ObjectKey("twice"), bytes: bytes)
        let found = await error { try await backend.put(ObjectKey("never"), bytes: bytes) }

        #expect(found?.reason == .unavailable)
        #expect(try await backend.read(ObjectKey("twice"), limit: bytes.count) == bytes)
        #expect(try await backend.list(ListRequest(prefix: "")).entries.map(\.position) == ["twice"])
        #expect(try await backend.unfinishedUploadCount(prefix: "") == 0)
    }

    @Test func `a conflict of create-only writers is tried again`() async throws {
        let server = try SeaweedServer.shared()
        let proxy = try FaultyProxy(to: server.httpPort) { head, repetition in
            head.hasPrefix("PUT /tests/broken/conflict/object ") && repetition == 0
                ? .answer(status: "409 Conflict", body: "<Error><Code>ConditionalRequestConflict</Code></Error>")
                : .relay
        }
        let backend = try await server.backend(prefix: "broken/conflict", through: proxy)

        try await backend.put(ObjectKey("object"), bytes: [1], options: WriteOptions(ifAbsent: true))

        #expect(try await backend.read(ObjectKey("object"), limit: 1) == [1])
    }

    @Test func `a server that refuses batches is asked one by one`() async throws {
        let server = try SeaweedServer.shared()
        let proxy = try FaultyProxy(to: server.httpPort) { head, _ in
            head.contains("?delete=")
                ? .answer(status: "501 Not Implemented", body: "<Error><Code>NotImplemented</Code></Error>") : .relay
        }
        let backend = try await server.backend(prefix: "broken/batch", through: proxy)
        let keys = try ["a", "b", "c"].map { try ObjectKey($0) }
        for key in keys { try await backend.put(key, bytes: [1]) }

        #expect(try await backend.delete(keys).isEmpty)
        #expect(try await backend.delete(keys).isEmpty)

        #expect(backend.requestCounts()["DeleteObjects"] == 1)
        #expect(backend.requestCounts()["DeleteObject"] == 6)
        #expect(try await backend.list(ListRequest(prefix: "")).entries.isEmpty)
    }

    @Test func `objects that a batch cannot delete are named`() async throws {
        let server = try SeaweedServer.shared()
        let answer = """
            <DeleteResult><Error><Key>broken/denied/b</Key><Code>AccessDenied</Code><Message>no</Message></Error>
            </DeleteResult>
            """
        let proxy = try FaultyProxy(to: server.httpPort) { _, _ in .answer(status: "200 OK", body: answer) }
        let backend = try await server.backend(prefix: "broken/denied", through: proxy)

        let failed = try await backend.delete([try ObjectKey("a"), try ObjectKey("b")])

        #expect(failed.keys.map(\.string) == ["b"])
        #expect(failed.values.first?.reason == .permissionDenied)
    }

    @Test func `cancelling ends a call that waits for the server`() async throws {
        let server = try SeaweedServer.shared()
        let proxy = try FaultyProxy(to: server.httpPort) { _, _ in .stall }
        let backend = try await server.backend(prefix: "broken/stall", through: proxy)
        // Its own executor: the call blocks the thread that it runs on.
        let reading = Task { await error { _ = try await backend.read(ObjectKey("object"), limit: 1) } }
        while proxy.heads.isEmpty { try await Task.sleep(for: .milliseconds(10)) }

        reading.cancel()

        #expect(await reading.value?.reason == .cancelled)
    }
}
