import BackupAPI
import BackupEngine
import Codecs
import Foundation
import TestSupport
import Testing

@Suite struct FileConversionTests {
    private static let registry = StandardCodecs.registry
    private static let names = registry.factories.map(\.name)
    private static let mebibyte = 1 << 20

    /// The codec of a name, with the file key of the master key that has one byte value throughout.
    private func codec(_ name: String, key: UInt8 = 1) throws -> any Codec {
        let secret = Secret([UInt8](repeating: key, count: 32))
        let ring = try FileKeys.ring(MasterKey(id: "master-\(key)", secret: secret), OpenSSLCryptography())
        return try #require(Self.registry.factory(named: name)).make(nil, ring)
    }

    private func run(_ direction: FileConversion.Direction, _ path: String) async throws -> FileConversion.Outcome {
        let conversion = FileConversion(direction, workers: 3, progress: ProgressCounter(activity: ""))
        return try await withTaskExecutorPreference(BlockingPool()) { try await conversion.run(path) }
    }

    /// Bytes that compress, and differ from mebibyte to mebibyte.
    private func sample(_ byteCount: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0x41, count: byteCount)
        for place in stride(from: 0, to: byteCount, by: 4093) { bytes[place] = UInt8(truncatingIfNeeded: place >> 12) }
        return bytes
    }

    @Test(arguments: names, [0, 1, mebibyte, mebibyte + 1, 7 * mebibyte + 5])
    func `what is encoded is decoded again, with mode and times, and the source is gone`(
        name: String, byteCount: Int
    ) async throws {
        let folder = try TemporaryFolder()
        let plain = sample(byteCount)
        let time = Date(timeIntervalSince1970: 1_000_000_000)
        try folder.write(plain, to: "x.tar")
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o640, .modificationDate: time], ofItemAtPath: folder.path("x.tar"))
        let codec = try codec(name)

        let encoded = try await run(.encode(codec), folder.path("x.tar"))

        #expect(encoded.path == folder.path("x.tar\(codec.suffix)"))
        #expect(encoded.sourceByteCount == byteCount)
        #expect(try folder.tree() == ["x.tar\(codec.suffix)"])
        #expect(try folder.read("x.tar\(codec.suffix)").count == encoded.resultByteCount)

        let decoded = try await run(.decode(codec, suffix: codec.suffix), encoded.path)

        #expect(decoded.path == folder.path("x.tar"))
        #expect(try folder.tree() == ["x.tar"])
        #expect(try folder.read("x.tar") == plain)
        let attributes = try FileManager.default.attributesOfItem(atPath: decoded.path)
        #expect(attributes[.posixPermissions] as? Int == 0o640)
        #expect(attributes[.modificationDate] as? Date == time)
    }

    @Test(arguments: names)
    func `a file that was cut anywhere, or has a bit flipped, is refused and stays as it is`(name: String) async throws
    {
        let folder = try TemporaryFolder()
        let codec = try codec(name)
        try folder.write(sample(Self.mebibyte + 100), to: "x")
        let file = try await run(.encode(codec), folder.path("x")).path
        let whole = try folder.read("x\(codec.suffix)")

        for cut in [0, 1, 20, whole.count / 2, whole.count - 1] {
            try await expectRefusal(Array(whole[..<cut]), codec, file, folder, "cut at \(cut)")
        }
        for place in [0, 1, whole.count / 3, whole.count - 2] {
            var damaged = whole
            damaged[place] ^= 0x10
            try await expectRefusal(damaged, codec, file, folder, "bit flipped in byte \(place)")
        }
        try await expectRefusal(whole + [7], codec, file, folder, "a byte behind the end")
    }

    private func expectRefusal(
        _ bytes: [UInt8], _ codec: any Codec, _ file: String, _ folder: TemporaryFolder, _ damage: Comment
    ) async throws {
        try folder.write(bytes, to: "x\(codec.suffix)")
        let error = await #expect(throws: FileContentError.self, damage) {
            _ = try await run(.decode(codec, suffix: codec.suffix), file)
        }
        #expect(error?.summary.contains("'\(file)'") == true)
        #expect(try folder.tree() == ["x\(codec.suffix)"], damage)
        #expect(try folder.read("x\(codec.suffix)") == bytes, damage)
    }

    @Test func `another master key is told from damage`() async throws {
        let folder = try TemporaryFolder()
        try folder.write([1, 2, 3], to: "x")
        let file = try await run(.encode(codec("aes-256-gcm")), folder.path("x")).path

        let error = await #expect(throws: FileContentError.self) {
            _ = try await run(.decode(codec("aes-256-gcm", key: 2), suffix: ".aes"), file)
        }

        #expect(error?.code == "codec-key-missing")
        #expect(error?.summary.contains("master-1") == true)
        #expect(error?.remedy.contains("--master-key") == true)
        #expect(try folder.tree() == ["x.aes"])
    }

    @Test func `a key of the same name and other bytes opens nothing`() async throws {
        let folder = try TemporaryFolder()
        try folder.write([1, 2, 3], to: "x")
        let file = try await run(.encode(codec("aes-128-ctr")), folder.path("x")).path
        var forged = KeyRing()
        forged.add(id: "master-1", key: Secret([UInt8](repeating: 9, count: 32)), isCurrent: true)
        let codec = try #require(Self.registry.factory(named: "aes")).make(nil, forged)

        let error = await #expect(throws: FileContentError.self) {
            _ = try await run(.decode(codec, suffix: ".aes"), file)
        }

        #expect(error?.code == "codec-not-authentic")
        #expect(try folder.tree() == ["x.aes"])
    }

    @Test(arguments: names.suffix(9))
    func `any encryption is decrypted, whatever the name of the file`(name: String) async throws {
        let folder = try TemporaryFolder()
        try folder.write([1, 2, 3], to: "x")
        _ = try await run(.encode(codec(name)), folder.path("x"))
        try FileManager.default.moveItem(atPath: folder.path("x.aes"), toPath: folder.path("other name.aes"))

        _ = try await run(.decode(codec("aes-256-gcm"), suffix: ".aes"), folder.path("other name.aes"))

        #expect(try folder.read("other name") == [1, 2, 3])
    }

    @Test func `what is there already is not touched`() async throws {
        let folder = try TemporaryFolder()
        try folder.write([1], to: "x")
        try folder.write([2], to: "x.zstd")

        let error = await #expect(throws: EngineError.self) {
            _ = try await run(.encode(codec("zstd")), folder.path("x"))
        }

        #expect(error?.reason == .fileExists)
        #expect(try folder.tree() == ["x", "x.zstd"])
        #expect(try folder.read("x.zstd") == [2])
    }

    @Test func `what is no usual file is refused with a reason of its own`() async throws {
        let folder = try TemporaryFolder()
        try folder.write([1], to: "file")
        try FileManager.default.createDirectory(atPath: folder.path("directory"), withIntermediateDirectories: false)
        try FileManager.default.createSymbolicLink(atPath: folder.path("link"), withDestinationPath: "file")
        try #require(unsafe mkfifo(folder.path("pipe"), 0o600) == 0)
        try #require(unsafe link(folder.path("file"), folder.path("twin")) == 0)
        let before = try folder.tree()

        for (name, words) in [
            "directory": "is a directory", "link": "is a symbolic link", "pipe": "is not a regular file",
            "file": "has 1 other names", "missing": "No such file",
        ] {
            let error = await #expect(throws: EngineError.self) {
                _ = try await run(.encode(codec("lz4")), folder.path(name))
            }
            #expect(error?.reason == .fileUnusable)
            #expect(error?.summary.contains(words) == true, "\(error?.summary ?? "")")
        }
        #expect(try folder.tree() == before)
    }

    @Test func `a name that is only a suffix has no name left`() async throws {
        let folder = try TemporaryFolder()
        try folder.write([1], to: ".gz")

        let error = await #expect(throws: EngineError.self) {
            _ = try await run(.decode(codec("gzip"), suffix: ".gz"), folder.path(".gz"))
        }

        #expect(error?.reason == .fileUnusable)
        #expect(try folder.tree() == [".gz"])
    }
}
