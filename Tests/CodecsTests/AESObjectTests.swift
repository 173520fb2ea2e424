import BackupAPI
import Testing

@testable import Codecs

/// What an encrypted object refuses, and why.
struct AESObjectTests {
    let identity = CodecTestKit.identity()

    private func reason(_ body: () throws -> Void) -> CodecError.Reason? {
        do { try body() } catch { return (error as? CodecError)?.reason }
        return nil
    }

    @Test func `a header of a later version is of an unknown version`() throws {
        let codec = try CodecTestKit.codec("aes")
        var stored = try CodecTestKit.encode([[1, 2, 3]], with: codec)
        let headerByteCount = try AESObjectHeader.headerByteCount(prefix: stored)
        stored[6] = 2

        #expect(reason { _ = try CodecTestKit.decode(stored, with: codec) } == .unknownVersion)
        #expect(reason { _ = try AESObjectHeader.headerByteCount(prefix: stored) } == .unknownVersion)
        #expect(
            reason { _ = try codec.openObject(identity, header: Array(stored.prefix(headerByteCount))) }
                == .unknownVersion)
    }

    @Test func `a header's length is told from ten bytes`() throws {
        let header = try CodecTestKit.codec("aes").beginObject(identity).header

        #expect(try AESObjectHeader.headerByteCount(prefix: header) == header.count)
        #expect(reason { _ = try AESObjectHeader.headerByteCount(prefix: Array(header.prefix(9))) } == .truncated)
        #expect(reason { _ = try AESObjectHeader.headerByteCount(prefix: Array("PGMAEX0000".utf8)) } == .notThisFormat)
    }

    @Test func `a key that is not in the ring is missing`() throws {
        let stored = try CodecTestKit.encode([[1]], with: CodecTestKit.codec("aes"))
        var others = KeyRing()
        others.add(id: "other", key: Secret(Array(0..<32)), isCurrent: true)

        #expect(
            reason { _ = try CodecTestKit.decode(stored, with: CodecTestKit.codec("aes", keys: others)) } == .keyMissing
        )
        #expect(reason { _ = try CodecTestKit.codec("aes", keys: KeyRing()).beginObject(identity) } == .keyMissing)
    }

    @Test func `another key under the same id is not authentic`() throws {
        let stored = try CodecTestKit.encode([[1]], with: CodecTestKit.codec("aes"))
        var others = KeyRing()
        others.add(id: "test", key: Secret(Array(1..<33)), isCurrent: true)

        #expect(
            reason { _ = try CodecTestKit.decode(stored, with: CodecTestKit.codec("aes", keys: others)) }
                == .notAuthentic)
    }

    @Test func `an older key of the ring still opens its objects`() throws {
        let stored = try CodecTestKit.encode([[1, 2]], with: CodecTestKit.codec("aes"))
        var keys = CodecTestKit.keys
        keys.add(id: "newer", key: Secret(Array(1..<33)), isCurrent: true)

        #expect(try CodecTestKit.decode(stored, with: CodecTestKit.codec("aes", keys: keys)) == [1, 2])
    }

    @Test func `a key that is not 32 bytes long is refused`() throws {
        var keys = KeyRing()
        keys.add(id: "short", key: Secret(Array(0..<31)), isCurrent: true)

        #expect(reason { _ = try CodecTestKit.codec("aes", keys: keys).beginObject(identity) } == .misconfigured)
    }

    @Test(arguments: [0, -1, (16 << 20) + 1]) func `a frame size out of range is refused`(size: Int) throws {
        let identity = CodecTestKit.identity(frameByteCount: size)

        #expect(reason { _ = try CodecTestKit.codec("aes").beginObject(identity) } == .misconfigured)
    }

    @Test func `the longest object key fits into the header, and longer names do not`() throws {
        let codec = try CodecTestKit.codec("aes")
        let longest = CodecTestKit.identity(key: String(repeating: "k", count: ObjectKey.maximumByteCount))
        let stored = try CodecTestKit.encode([[1]], with: codec, longest)

        #expect(try CodecTestKit.decode(stored, with: codec, longest) == [1])
        let fullest = ObjectIdentity(
            repository: String(repeating: "r", count: 900), key: longest.key, chain: "zstd", frameByteCount: 1)
        #expect(try CodecTestKit.decode(CodecTestKit.encode([[1]], with: codec, fullest), with: codec, fullest) == [1])
        let tooLong = CodecTestKit.identity(key: String(repeating: "k", count: 2048))
        #expect(reason { _ = try codec.beginObject(tooLong) } == .misconfigured)
    }

    @Test func `a frame length beyond the frame size is refused before anything is read`() throws {
        let codec = try CodecTestKit.codec("aes")
        let identity = CodecTestKit.identity(frameByteCount: 4096)
        let header = try codec.beginObject(identity).header
        let limit = 4096 + 4096 / 32 + 4096 + 16

        for length in [limit + 1, 0x7FFF_FFFF, 0xFFFF_FFFF] {
            var bytes = header
            bytes.append(littleEndian: UInt32(length))
            #expect(reason { _ = try CodecTestKit.decode(bytes, with: codec) } == .tooLarge)
        }
        var bytes = header
        bytes.append(littleEndian: UInt32(limit))
        #expect(reason { _ = try CodecTestKit.decode(bytes, with: codec) } == .truncated)
    }

    @Test func `no frame is written that no reader would take`() throws {
        let codec = try CodecTestKit.codec("aes")
        let identity = CodecTestKit.identity(frameByteCount: 4096)
        let limit = 4096 + 4096 / 32 + 4096
        let plain = [UInt8](repeating: 0, count: limit)

        let stored = try CodecTestKit.encode([plain], with: codec, identity)

        #expect(try CodecTestKit.decode(stored, with: codec) == plain)
        #expect(reason { _ = try CodecTestKit.encode([plain + [0]], with: codec, identity) } == .tooLarge)
    }

    @Test func `every compression stays below the longest frame that encryption takes`() throws {
        for name in ["gzip", "zstd", "lz4", "bzip2"] {
            let codec = try CodecTestKit.codec(name)
            for size in [1, 4096, 1 << 20, 16 << 20] {
                #expect(codec.maximumEncodedByteCount(forPlain: size) <= size + size / 32 + 4096, "\(name) \(size)")
            }
        }
    }

    @Test func `frames whose nonces would repeat are refused`() throws {
        let encoder = try CodecTestKit.codec("aes").beginObject(identity).makeEncoder()

        for index in [1 << 32, -1] {
            let position = FramePosition(index: index, isLast: false)
            let refused = reason {
                _ = try CodecTestKit.output(room: 100) { (output: inout OutputRawSpan) throws(CodecError) in
                    try unsafe encoder.encode([1].span.bytes, at: position, into: &output)
                }
            }
            #expect(refused == .tooLarge)
        }
    }

    @Test func `two objects of the same name and content differ in every part`() throws {
        let codec = try CodecTestKit.codec("aes")

        let first = try codec.beginObject(identity).header
        let second = try codec.beginObject(identity).header

        #expect(first[14..<46] != second[14..<46])
        #expect(first[46..<53] != second[46..<53])
    }

    @Test func `without an identity any mode's object is decrypted, and with one only the right mode's`() throws {
        let codec = try CodecTestKit.codec("aes-256-gcm")
        for mode in AESMode.allCases {
            let stored = try CodecTestKit.encode([[1, 2, 3]], with: CodecTestKit.codec(mode.name), identity)

            #expect(try CodecTestKit.decode(stored, with: codec) == [1, 2, 3])
            let refused = reason { _ = try CodecTestKit.decode(stored, with: codec, identity) }
            #expect(refused == (mode == .gcm256 ? nil : .notAuthentic))
        }
    }

    @Test(arguments: AESMode.allCases) func `plain bytes of a frame that is not authentic do not stay behind`(
        mode: AESMode
    ) throws {
        let codec = try CodecTestKit.codec(mode.name)
        let object = try codec.beginObject(identity)
        let plain = [UInt8](repeating: 0x77, count: 1000)
        let position = FramePosition(index: 0, isLast: true)
        let encoder = try object.makeEncoder()
        let decoder = try object.makeDecoder()
        var frame = try CodecTestKit.output(room: 2000) { (output: inout OutputRawSpan) throws(CodecError) in
            try unsafe encoder.encode(plain.span.bytes, at: position, into: &output)
        }
        frame[frame.count - 1] ^= 1

        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 2000, alignment: 1)
        defer { unsafe room.deallocate() }
        unsafe room.initializeMemory(as: UInt8.self, repeating: 0)
        var span = unsafe OutputRawSpan(buffer: room, initializedCount: 0)
        let error = #expect(throws: CodecError.self) {
            try unsafe decoder.decode(frame.span.bytes, at: position, into: &span)
        }

        let count = unsafe span.finalize(for: room)
        #expect(error?.reason == .notAuthentic)
        #expect(count == 0)
        #expect(unsafe room.allSatisfy { $0 == 0 })
    }
}
