import BackupAPI
import Codecs
import TestSupport
import Testing

@testable import S3Backend

/// What a real server answers, in the words of the contract, and what it costs in requests.
struct S3ServerTests {
    func error(_ body: () async throws -> Void) async -> StorageError? {
        do {
            try await body()
            return nil
        } catch {
            return error as? StorageError
        }
    }

    @Test func `a wrong secret is refused and not printed`() async throws {
        let server = try SeaweedServer.shared()
        let backend = try await server.backend(prefix: "identity", changes: ["secret_access_key": "WRONG-SECRET"])

        let found = await error { try await backend.put(ObjectKey("object"), bytes: [1]) }

        #expect(found?.reason == .notAuthenticated)
        #expect(found?.summary.contains("SignatureDoesNotMatch") == true)
        #expect(found?.description.contains("WRONG-SECRET") == false)
    }

    @Test func `stat says why it is refused although such answers have no words`() async throws {
        let server = try SeaweedServer.shared()
        let backend = try await server.backend(prefix: "identity", changes: ["access_key_id": "AKIDNOBODY"])

        let found = await error { _ = try await backend.stat(ObjectKey("object")) }

        #expect(found?.reason == .notAuthenticated)
        #expect(found?.summary.contains("InvalidAccessKeyId") == true)
    }

    @Test func `an identity that may only read is denied to write`() async throws {
        let server = try SeaweedServer.shared()
        let backend = try await server.backend(
            prefix: "identity", changes: ["access_key_id": SeaweedServer.readerAccessKeyID])

        let found = await error { try await backend.put(ObjectKey("object"), bytes: [1]) }

        #expect(found?.reason == .permissionDenied)
    }

    @Test func `a bucket that is not there is a matter of settings`() async throws {
        let server = try SeaweedServer.shared()
        let settings = try server.settings(prefix: "")
        let backend = try await S3BackendFactory.factory(cryptography: OpenSSLCryptography()).open(
            TargetSettings(
                location: try TargetLocation("s3://nowhere/x"), values: settings.values,
                environment: settings.environment))
        let calls: [() async throws -> Void] = [
            { _ = try await backend.list(ListRequest(prefix: "")) },
            { _ = try await backend.stat(ObjectKey("object")) },
            { _ = try await backend.read(ObjectKey("object"), limit: 1) },
        ]

        for call in calls {
            let found = await error(call)

            #expect(found?.reason == .misconfigured)
            #expect(found?.remedy.contains("'nowhere'") == true)
        }
    }

    @Test func `a certificate for another name is refused, and so is an unknown authority`() async throws {
        let server = try SeaweedServer.shared()
        let otherName = try await server.backend(
            prefix: "tls", changes: ["endpoint": "https://127.0.0.1:\(server.httpsPort)"])
        let otherAuthority = try await server.backend(prefix: "tls", changes: ["ca_file": nil])
        let unchecked = try await server.backend(prefix: "tls", changes: ["ca_file": nil, "verify_tls": "off"])

        for backend in [otherName, otherAuthority] {
            let found = await error { try await backend.put(ObjectKey("object"), bytes: [1]) }

            #expect(found?.reason == .notAuthenticated)
            #expect(found?.remedy.contains("ca_file") == true)
        }
        try await unchecked.put(ObjectKey("object"), bytes: [1])
        #expect(unchecked.capabilities.remarks.first?.hasPrefix("NOT VERIFIED") == true)
    }

    @Test func `a file of certificates that is not there is a matter of settings`() async throws {
        let server = try SeaweedServer.shared()
        let backend = try await server.backend(prefix: "tls", changes: ["ca_file": "/nowhere.pem"])

        #expect(await error { _ = try await backend.list(ListRequest(prefix: "")) }?.reason == .misconfigured)
    }

    @Test func `a clock that is an hour slow is named`() async throws {
        let server = try SeaweedServer.shared()
        let backend = try await server.backend(
            prefix: "clock", now: { Timestamp.current().seconds - 3600 })

        let found = await error { _ = try await backend.list(ListRequest(prefix: "")) }

        #expect(found?.reason == .notAuthenticated)
        #expect(found?.summary.contains("this machine's is slow") == true)
    }

    @Test func `nobody listening is unavailable`() async throws {
        let server = try SeaweedServer.shared()
        let port = LoopbackSocket.freePorts(1)[0]
        let backend = try await server.backend(prefix: "x", changes: ["endpoint": "http://127.0.0.1:\(port)"])

        let found = await error { _ = try await backend.stat(ObjectKey("object")) }

        #expect(found?.reason == .unavailable)
        #expect(found?.retry == .later)
    }

    @Test func `a small object costs one request to write and one to read`() async throws {
        let server = try SeaweedServer.shared()
        let backend = try #require(try await server.backend(prefix: "counts") as? S3Backend)

        try await backend.put(ObjectKey("object"), bytes: Array(1...100))
        let whole = try await backend.read(ObjectKey("object"), limit: 100)
        let run = try await backend.read(ObjectKey("object"), range: ByteRange(offset: 10, count: 5), limit: 100)

        #expect(whole == Array(1...100))
        #expect(run == Array(11...15))
        #expect(backend.requestCounts() == ["PutObject": 1, "GetObject": 2])
    }

    @Test(arguments: [true, false])
    func `an object of 40 MB goes up in parts and comes down in runs`(isEncrypted: Bool) async throws {
        let server = try SeaweedServer.shared()
        let backend = try #require(
            try await server.backend(prefix: "large-\(isEncrypted)", isEncrypted: isEncrypted) as? S3Backend)
        let key = try ObjectKey("object")
        let bytes = Samples.bytes(40_000_000, seed: 3)

        try await backend.put(key) { upload in
            var offset = 0
            while offset < bytes.count {
                let end = min(offset + 1_000_003, bytes.count)
                try await upload.write(Array(bytes[offset..<end]))
                offset = end
            }
        }

        #expect(try await backend.stat(key).byteCount == bytes.count)
        #expect(try await backend.read(key, limit: bytes.count) == bytes)
        let counts = backend.requestCounts()
        #expect(counts["UploadPart"] == 5)
        #expect(counts["GetObject"] == 5)
        #expect(counts["CreateMultipartUpload"] == 1 && counts["CompleteMultipartUpload"] == 1)
    }

    @Test func `an upload in parts that was aborted or dropped leaves no parts`() async throws {
        let server = try SeaweedServer.shared()
        let backend = try #require(
            try await server.backend(prefix: "aborts", changes: ["part_size": "5M"]) as? S3Backend)
        let bytes = Samples.bytes(12 << 20, seed: 4)
        let aborted = try await backend.beginWrite(ObjectKey("aborted"), options: WriteOptions())
        try await Samples.write(bytes, to: aborted)

        await aborted.abort()
        do {
            let dropped = try await backend.beginWrite(ObjectKey("dropped"), options: WriteOptions())
            try await Samples.write(bytes, to: dropped)
        }

        // The dropped one is aborted behind our back.
        var unfinished = -1
        for _ in 0..<500 where unfinished != 0 {
            unfinished = try await backend.unfinishedUploadCount(prefix: "")
            if unfinished != 0 { try await Task.sleep(for: .milliseconds(10)) }
        }
        #expect(unfinished == 0)
        #expect(backend.requestCounts()["AbortMultipartUpload"] == 2)
        #expect(try await backend.list(ListRequest(prefix: "")).entries.isEmpty)
    }

    @Test func `old uploads of dead processes are swept, younger ones are kept`() async throws {
        let server = try SeaweedServer.shared()
        let backend = try #require(
            try await server.backend(prefix: "sweep", changes: ["part_size": "5M"]) as? S3Backend)
        let driver = try await backend.beginWrite(ObjectKey("a/object"), options: WriteOptions())
        try await Samples.write(Samples.bytes(6 << 20, seed: 5), to: driver)

        #expect(try await backend.sweepUnfinished(prefix: "") == 0)
        #expect(try await backend.sweepUnfinished(prefix: "b/", leastAgeInSeconds: 0) == 0)
        #expect(try await backend.sweepUnfinished(prefix: "a/", leastAgeInSeconds: 0) == 1)
        #expect(await error { try await driver.commit() } != nil)
        #expect(try await backend.list(ListRequest(prefix: "")).entries.isEmpty)
    }

    @Test func `an object that is replaced while it is read is found out`() async throws {
        let server = try SeaweedServer.shared()
        let backend = try await server.backend(prefix: "changed", changes: ["concurrency": "1"])
        let key = try ObjectKey("object")
        try await backend.put(key, bytes: Samples.bytes(20 << 20, seed: 6))
        let reader = try await backend.openRead(key, range: nil)

        try await backend.put(key, bytes: Samples.bytes(20 << 20, seed: 7))
        let found = await error { _ = try await Samples.read(reader) }

        #expect(found?.reason == .corrupt)
    }

    @Test func `names are kept, and one that this server would change is refused`() async throws {
        let server = try SeaweedServer.shared()
        let backend = try await server.backend(prefix: "names%20ü+%25")
        let names = [
            "with space", "percent%2Fcode", "plus+plus", "single'quote", "double\"quote", "question?x=y&z", "#", ";",
            "*",
            "<tag>&amp;", "[x]{y}", "..hidden", "composed-\u{E9}", "decomposed-e\u{301}", "\u{301}mark", "\u{1F600}",
            "\u{2028}", "\u{FEFF}bom", "\u{10FFFF}", "-rf", "~",
        ]
        let keys = try names.flatMap { [try ObjectKey("objects/\($0)"), try ObjectKey("folders/\($0)/x")] }.sorted()
        for key in keys { try await backend.put(key, bytes: Array(key.string.utf8)) }

        var listed: [ObjectKey] = []
        try await backend.forEachEntry(ListRequest(prefix: "", limit: 7)) { entry in
            if case .object(let info) = entry { listed.append(info.key) }
        }

        #expect(listed == keys)
        for key in keys { #expect(try await backend.read(key, limit: 2000) == Array(key.string.utf8)) }
        #expect(try await backend.delete(keys).isEmpty)
        #expect(try await backend.list(ListRequest(prefix: "")).entries.isEmpty)
        #expect(await error { try await backend.put(ObjectKey("a\\b"), bytes: [1]) }?.reason == .invalidKey)
    }

    @Test func `a name that this server would change is told, and the others are deleted`() async throws {
        let server = try SeaweedServer.shared()
        let backend = try await server.backend(prefix: "partly")
        let keys = try ["a", "b\\c", "d"].map { try ObjectKey($0) }
        for key in [keys[0], keys[2]] { try await backend.put(key, bytes: [1]) }

        let failed = try await backend.delete(keys)

        #expect(failed.mapValues(\.reason) == [keys[1]: .invalidKey])
        #expect(try await backend.list(ListRequest(prefix: "")).entries.isEmpty)
    }

    @Test func `the clock of the server is told`() async throws {
        let server = try SeaweedServer.shared()
        let backend = try await server.backend(prefix: "clock")

        let there = try #require(try await backend.unixSeconds())

        #expect(abs(there - Timestamp.current().seconds) < 10)
        let proxy = try FaultyProxy(to: server.httpPort) { _, _ in
            .answer(status: "200 OK", headers: "Date: Fri, 24 May 2013 00:00:30 GMT\r\n")
        }
        #expect(try await server.backend(prefix: "clock", through: proxy).unixSeconds() == 1_369_353_630)
    }

    @Test func `a thousand objects are deleted with one request`() async throws {
        let server = try SeaweedServer.shared()
        let backend = try #require(try await server.backend(prefix: "batch") as? S3Backend)
        let keys = try (0..<1000).map { try ObjectKey("folder/\($0)") }
        for key in keys.prefix(20) { try await backend.put(key, bytes: []) }

        #expect(try await backend.delete(keys).isEmpty)

        #expect(backend.requestCounts()["DeleteObjects"] == 1)
        #expect(backend.requestCounts()["DeleteObject"] == nil)
        #expect(try await backend.list(ListRequest(prefix: "")).entries.isEmpty)
    }

    @Test func `a create-only write is claimed after the server has proved it`() async throws {
        let server = try SeaweedServer.shared()
        let backend = try #require(try await server.backend(prefix: "claims") as? S3Backend)
        #expect(!backend.capabilities.hasAtomicCreate)

        try await backend.put(ObjectKey("object"), bytes: [1], options: WriteOptions(ifAbsent: true))

        #expect(backend.capabilities.hasAtomicCreate)
        #expect(backend.requestCounts() == ["PutObject": 3, "DeleteObject": 1])
        let large = Samples.bytes(9 << 20, seed: 8)
        let found = await error {
            try await backend.put(ObjectKey("object"), bytes: large, options: WriteOptions(ifAbsent: true))
        }
        #expect(found?.reason == .alreadyExists)
        #expect(backend.requestCounts()["CompleteMultipartUpload"] == 1)
        #expect(try await backend.read(ObjectKey("object"), limit: 1) == [1])
    }

    @Test func `a server that ignores create-only writes is not believed`() async throws {
        let server = try RcloneServer.shared()
        let backend = try await server.backend(prefix: "claims")

        try await backend.put(ObjectKey("object"), bytes: [1], options: WriteOptions(ifAbsent: true))
        let found = await error {
            try await backend.put(ObjectKey("object"), bytes: [2], options: WriteOptions(ifAbsent: true))
        }

        #expect(!backend.capabilities.hasAtomicCreate)
        #expect(backend.capabilities.remarks.contains { $0.contains("does not decide create-only writes") })
        #expect(found?.reason == .alreadyExists)
        #expect(try await backend.read(ObjectKey("object"), limit: 1) == [1])
    }
}
