import BackupAPI
import Testing

@testable import Codecs

/// The bytes of an encrypted object are those that the format says, by `openssl` and by a vector.
struct AESFormatTests {
    static let salt = (0..<32).map { UInt8(0x40 + $0) }
    static let noncePrefix = (0..<7).map { UInt8(0xA0 + $0) }
    static let identity = ObjectIdentity(
        repository: "r", key: "s/b/x", chain: "aes-256-gcm", frameByteCount: 65_536)
    /// Magic, version and mode follow in front; then length, frame size, salt, nonce prefix and the four names.
    static let headerTail =
        "5200 00000100"
        + " 404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f a0a1a2a3a4a5a6"
        + " 0400 74657374 0100 72 0500 732f622f78 0b00 6165732d3235362d67636d"

    private func object(_ mode: AESMode, _ plains: [String]) throws -> (header: [UInt8], frames: [[UInt8]]) {
        let codec = AESCodec(mode: mode, keys: CodecTestKit.keys)
        let object = try codec.beginObject(Self.identity, salt: Self.salt, noncePrefix: Self.noncePrefix)
        let encoder = try object.makeEncoder()
        let frames = try plains.enumerated().map { (index, plain) in
            try CodecTestKit.output(room: codec.maximumEncodedByteCount(forPlain: plain.utf8.count)) {
                (output: inout OutputRawSpan) throws(CodecError) in
                let position = FramePosition(index: index, isLast: index == plains.count - 1)
                try unsafe encoder.encode(Array(plain.utf8).span.bytes, at: position, into: &output)
            }
        }
        return (object.header, frames)
    }

    @Test(arguments: AESMode.allCases) func `the header is the documented bytes`(mode: AESMode) throws {
        let header = try object(mode, []).header

        #expect(header == CodecTestKit.hex("50474d414553 01 0\(mode.rawValue)" + Self.headerTail))
        #expect(try AESObjectHeader.headerByteCount(prefix: Array(header.prefix(10))) == header.count)
    }

    /// Made once with Python's `cryptography` package from the words of the format.
    @Test func `GCM frames are those of an independent implementation`() throws {
        let frames = try object(.gcm256, ["first frame", ""]).frames.map { CodecTestKit.hex($0) }

        #expect(
            frames == [
                "1b00000005cec6ee2906685ee388d9438e105abb1f8479b6c56626c699f7f0",
                "100000007e986f71b419be9ccc0d25939064eb4f",
            ])
    }

    @Test(arguments: [AESMode.ctr256, .ctr192, .ctr128, .cbc256, .cbc192, .cbc128])
    func `openssl checks and decrypts CBC and CTR frames`(mode: AESMode) throws {
        let plains = ["first frame, longer than a block", "second", ""]
        let (header, frames) = try object(mode, plains)
        let keys = try opensslKeys(mode)
        let name = mode.name

        for (index, frame) in frames.enumerated() {
            let isLast = index == frames.count - 1
            let nonce = Self.noncePrefix + [0, 0, 0, UInt8(index), isLast ? 1 : 0]
            let block = nonce + [0, 0, 0, 0]
            let ecb = ["enc", "-e", "-" + name.replacing("cbc", with: "ecb"), "-nopad", "-K", CodecTestKit.hex(keys.0)]
            let vector = mode.chaining == .ctr ? block : try OracleTool.run("openssl", ecb, input: block)
            let ciphertext = Array(frame.dropFirst(4).dropLast(32))
            let decrypt = ["enc", "-d", "-" + name, "-K", CodecTestKit.hex(keys.0), "-iv", CodecTestKit.hex(vector)]
            let authenticate = [
                "mac", "-binary", "-digest", "SHA256", "-macopt", "hexkey:" + CodecTestKit.hex(keys.1), "HMAC",
            ]

            #expect(frame.prefix(4) == [UInt8(frame.count - 4), 0, 0, 0])
            #expect(try OracleTool.run("openssl", decrypt, input: ciphertext) == Array(plains[index].utf8))
            #expect(
                try OracleTool.run("openssl", authenticate, input: header + nonce + vector + ciphertext)
                    == Array(frame.suffix(32)))
        }
    }

    private func opensslKeys(_ mode: AESMode) throws -> ([UInt8], [UInt8]) {
        let info =
            "pgmoneta-object-1".utf8.map { $0 }
            + CodecTestKit.hex("0100 72 0500 732f622f78 0b00 6165732d3235362d67636d 0\(mode.rawValue) 00000100")
        let options = [
            "digest:SHA256", "hexkey:" + CodecTestKit.hex((0..<32).map { UInt8($0) }),
            "hexsalt:" + CodecTestKit.hex(Self.salt), "hexinfo:" + CodecTestKit.hex(info),
        ]
        let arguments = options.flatMap { ["-kdfopt", $0] }
        let bytes = try OracleTool.run(
            "openssl", ["kdf", "-binary", "-keylen", String(mode.keyByteCount + 32)] + arguments + ["HKDF"])
        return (Array(bytes.prefix(mode.keyByteCount)), Array(bytes.dropFirst(mode.keyByteCount)))
    }
}
