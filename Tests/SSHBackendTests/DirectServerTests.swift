import BackupAPI
import BackupConformance
import Foundation
import Glibc
import Synchronization
import Testing

@testable import SSHBackend

/// The protocol against OpenSSH's own server, without ssh between.
@Suite struct `An SFTP server run directly` {
    @Test func `keeps every law`() async throws {
        let scratch = try Scratch()
        var options = BackendConformance.Options()
        options.checksThousands = true

        let report = await BackendConformance(
            makeBackend: { try await DirectServer.open(scratch) }, prefix: "", options: options
        ).run()

        #expect(report.isConforming, "\(report)")
        #expect(report.findings.allSatisfy { $0.outcome == .passed }, "\(report)")
        #expect(scratch.tree("place") == [])
    }

    @Test func `without extensions keeps the laws that it claims`() async throws {
        let scratch = try Scratch()
        let bare = try scratch.write(
            "bare",
            "#!/bin/sh\nexec \(DirectServer.program) -P posix-rename,hardlink,fsync,statvfs,limits\n", mode: 0o700)

        let backend = try await DirectServer.open(scratch, program: bare)
        let report = await BackendConformance(
            makeBackend: { try await DirectServer.open(scratch, program: bare) }, prefix: ""
        ).run()

        #expect(backend.capabilities.durability == .unknown)
        #expect(!backend.capabilities.hasAtomicCreate)
        #expect(!backend.capabilities.hasAtomicReplace)
        #expect(backend.capabilities.remarks.count == 4)
        #expect(try await backend.freeByteCount() == nil)
        #expect(report.isConforming, "\(report)")
        let gap = ConformanceReport.Outcome.notClaimed("an object that is replaced is gone for a moment")
        #expect(report.outcome(of: .commitIsAtomic) == gap)
        await backend.close()
    }

    @Test func `says that it is durable, creates and replaces atomically, and has room`() async throws {
        let scratch = try Scratch()

        let backend = try await DirectServer.open(scratch)

        #expect(backend.capabilities.durability == .durable)
        #expect(backend.capabilities.hasAtomicCreate)
        #expect(backend.capabilities.hasAtomicReplace)
        #expect(backend.capabilities.remarks == [])
        #expect(try await backend.freeByteCount() ?? 0 > 0)
        await backend.close()
    }

    @Test func `tells its clock as soon as there is a folder, and keeps nothing`() async throws {
        let scratch = try Scratch()
        let backend = try await DirectServer.open(scratch)

        let before = try await backend.unixSeconds()
        try await backend.put(try ObjectKey("object"), bytes: [1])
        let earliest = time(nil)
        let there = try #require(try await backend.unixSeconds())
        let latest = time(nil)

        #expect(before == nil)
        #expect((earliest - 2...latest + 2).contains(there))
        #expect(scratch.tree("place") == ["object"])
        await backend.close()
    }

    @Test func `stores private files in private folders`() async throws {
        let scratch = try Scratch()
        let backend = try await DirectServer.open(scratch)

        try await backend.put(try ObjectKey("a/b/c"), bytes: [1, 2, 3])

        func mode(_ name: String) throws -> Int? {
            try FileManager.default.attributesOfItem(atPath: "\(scratch.path)/place/\(name)")[.posixPermissions] as? Int
        }
        #expect(try mode("a/b/c") == 0o600)
        #expect(try mode("a/b") == 0o700)
        #expect(try mode("a") == 0o700)
        await backend.close()
    }

    @Test func `forces the file and its folder to disk before and after it is named`() async throws {
        let scratch = try Scratch()
        let backend = try await DirectServer.open(scratch)
        try await backend.put(try ObjectKey("a/first"), bytes: [1])
        let before = backend.requestCounts()

        try await backend.put(try ObjectKey("a/second"), bytes: [2])

        let after = backend.requestCounts()
        func sent(_ kind: String) -> Int { (after[kind] ?? 0) - (before[kind] ?? 0) }
        #expect(sent("fsync@openssh.com") == 2)
        #expect(sent("posix-rename@openssh.com") == 1)
        #expect(sent("write") == 1)
        await backend.close()
    }

    @Test func `asks for exactly the bytes of a small range`() async throws {
        let scratch = try Scratch()
        let backend = try await DirectServer.open(scratch)
        let bytes = sample(2_000_000)
        let key = try ObjectKey("object")
        try await backend.put(key, bytes: bytes)
        let before = backend.requestCounts()["read"] ?? 0

        let run = try await backend.read(key, range: ByteRange(offset: 1_234_567, count: 4321), limit: 10_000)

        #expect(run == Array(bytes[1_234_567..<1_238_888]))
        #expect(backend.requestCounts()["read"] == before + 1)
        await backend.close()
    }

    @Test func `asks again for the rest of a short read`() async throws {
        let scratch = try Scratch()
        let bytes = sample(2_000_000)
        let backend = try await DirectServer.open(scratch)
        let key = try ObjectKey("object")
        try await backend.put(key, bytes: bytes)
        let real = try await backend.pool.lease()
        // Pieces of more than the server's limit: OpenSSH answers each with as much as it gives at once.
        var features = real.features
        features.readByteCount = 900_000
        real.channel.userCount.add(1, ordering: .relaxed)
        let lease = ChannelLease(real.channel, features: features)
        let handle = try await lease.channel.send(.open(backend.path(of: key), .read, permissions: nil)).reply()
            .requireHandle()
        let before = backend.requestCounts()["read"] ?? 0

        let source = SSHSource(
            lease: lease, handle: handle, expected: 2_000_000, range: nil, key: key, target: "here")
        let read = try await bytesOf(source)

        #expect(read == bytes)
        #expect((backend.requestCounts()["read"] ?? 0) > before + 3)
        await backend.close()
    }

    @Test func `does not follow symbolic links below its root`() async throws {
        let scratch = try Scratch()
        let backend = try await DirectServer.open(scratch)
        try await backend.put(try ObjectKey("real/object"), bytes: [1])
        try scratch.write("secret", "outside")
        let place = "\(scratch.path)/place"
        try FileManager.default.createSymbolicLink(
            atPath: "\(place)/link", withDestinationPath: "\(scratch.path)/secret")
        try FileManager.default.createSymbolicLink(atPath: "\(place)/folder", withDestinationPath: scratch.path)
        let linked = try ObjectKey("link")
        let inside = try ObjectKey("folder/secret")

        #expect(try await storageError { _ = try await backend.stat(linked) }?.reason == .notFound)
        #expect(try await storageError { _ = try await backend.read(linked, limit: 99) }?.reason == .notFound)
        #expect(try await storageError { _ = try await backend.stat(inside) }?.reason == .notFound)
        #expect(try await storageError { _ = try await backend.read(inside, limit: 99) }?.reason == .notFound)
        #expect(try await storageError { try await backend.put(inside, bytes: [6]) }?.reason == .failed)
        #expect(try await backend.delete([inside]).isEmpty)
        #expect(try scratch.text("secret") == "outside")
        let page = try await backend.list(ListRequest(prefix: ""))
        #expect(page.entries.map(\.position) == ["real/object"])
        let shallow = try await backend.list(ListRequest(prefix: "", isShallow: true))
        #expect(shallow.entries.map(\.position) == ["real/"])
        #expect(try await backend.list(ListRequest(prefix: "folder/")).entries.isEmpty)
        await backend.close()
    }

    @Test func `does not wait for a named pipe`() async throws {
        let scratch = try Scratch()
        let backend = try await DirectServer.open(scratch)
        try await backend.put(try ObjectKey("object"), bytes: [1])
        #expect(unsafe mkfifo("\(scratch.path)/place/pipe", 0o600) == 0)

        let error = try await storageError { _ = try await backend.read(try ObjectKey("pipe"), limit: 9) }

        #expect(error?.reason == .notFound)
        await backend.close()
    }

    @Test func `reads only the folders that a listing needs`() async throws {
        let scratch = try Scratch()
        let backend = try await DirectServer.open(scratch)
        for folder in ["a", "b", "c", "d"] {
            for name in ["1", "2"] { try await backend.put(try ObjectKey("\(folder)/x/\(name)"), bytes: [1]) }
        }
        let before = backend.requestCounts()["openFolder"] ?? 0

        let page = try await backend.list(ListRequest(prefix: "", after: "b/x/1", limit: 1))

        #expect(page.entries.map(\.position) == ["b/x/2"])
        #expect(page.hasMore)
        // The root, b, b/x; and c, c/x to learn that there is more.
        #expect(backend.requestCounts()["openFolder"] == before + 5)
        await backend.close()
    }

    @Test func `removes the folders that a deletion empties, but not the root`() async throws {
        let scratch = try Scratch()
        let backend = try await DirectServer.open(scratch)
        let keys = try ["a/b/1", "a/b/2", "a/c/d/3"].map { try ObjectKey($0) }
        for key in keys { try await backend.put(key, bytes: [1]) }

        #expect(try await backend.delete([keys[0]]).isEmpty)
        #expect(scratch.tree("place") == ["a", "a/b", "a/b/2", "a/c", "a/c/d", "a/c/d/3"])
        #expect(try await backend.delete(Array(keys)).isEmpty)

        #expect(scratch.tree("place") == [])
        #expect(FileManager.default.fileExists(atPath: "\(scratch.path)/place"))
        await backend.close()
    }

    @Test func `sweeps temporaries of a day ago and its own, and no others`() async throws {
        let scratch = try Scratch()
        let backend = try await DirectServer.open(scratch)
        try await backend.put(try ObjectKey("a/object"), bytes: [1])
        let prefix = ObjectKey.temporaryPrefix
        for (name, age) in [("a/\(prefix)old", 90_000), ("a/\(prefix)young", 80_000), ("\(prefix)elsewhere", 90_000)] {
            try scratch.write("place/\(name)", "rest")
            let time = Date(timeIntervalSinceNow: -Double(age))
            try FileManager.default.setAttributes(
                [.modificationDate: time], ofItemAtPath: "\(scratch.path)/place/\(name)")
        }

        let count = try await backend.sweepUnfinished(prefix: "a/")

        #expect(count == 1)
        #expect(scratch.tree("place") == ["\(prefix)elsewhere", "a", "a/\(prefix)young", "a/object"])
        await backend.close()
    }

    @Test func `says that there is no space, and leaves nothing behind`() async throws {
        let scratch = try Scratch()
        let place = "\(scratch.path)/place"
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: false)
        // The small file system is in a name space of the server's own, and goes with it. Mounting needs root.
        let program = try scratch.write(
            "server",
            """
            #!/bin/sh
            exec unshare -m sh -c 'mount -t tmpfs -o size=1m none \(place) && exec \(DirectServer.program)'

            """, mode: 0o700)
        let backend = try await DirectServer.open(scratch, program: program, settings: ["concurrency": "1"])

        let error = try await storageError {
            try await backend.put(try ObjectKey("large"), bytes: sample(4 << 20))
        }

        #expect(error?.reason == .noSpace)
        let left = try await backend.pool.lease().names(in: place)
        #expect(left.isEmpty)
        await backend.close()
    }

    @Test func `resolves a path in the home folder`() async throws {
        let scratch = try Scratch()
        let server = try scratch.write(
            "server", "#!/bin/sh\ncd \(scratch.path)\nexec \(DirectServer.program)\n", mode: 0o700)
        let settings = TargetSettings(
            location: try TargetLocation("sftp://localhost/~/inside"), values: ["sftp_server": Secret(server)])

        let backend = try await SSHBackendFactory.factory().open(settings)
        try await backend.put(try ObjectKey("object"), bytes: [1])

        #expect(scratch.tree("inside") == ["object"])
        await backend.close()
    }

    @Test func `shares channels beyond the limit instead of waiting`() async throws {
        let scratch = try Scratch()
        let backend = try await DirectServer.open(scratch, settings: ["concurrency": "2"])
        let keys = try (0..<6).map { try ObjectKey("object-\($0)") }
        for key in keys { try await backend.put(key, bytes: sample(1000)) }

        var readers: [any ObjectReader] = []
        for key in keys { readers.append(try await backend.openRead(key, range: nil)) }
        let size = try await backend.stat(keys[5]).byteCount
        for reader in readers { await reader.close() }

        #expect(size == 1000)
        #expect(backend.requestCounts()["initialize"] == nil)
        #expect(backend.requestCounts()["limits@openssh.com"] == 2)
        await backend.close()
    }
}
