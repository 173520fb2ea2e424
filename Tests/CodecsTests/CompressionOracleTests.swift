import BackupAPI
import Codecs
import Testing

/// The usual tools read what we write, and we read what they write.
struct CompressionOracleTests {
    static let frames = [CodecTestKit.text(1 << 20), [], [UInt8](repeating: 7, count: 100_000), CodecTestKit.text(99)]
    static let plain = frames.reduce([], +)

    @Test(arguments: [("gzip", [1, 6, 9]), ("zstd", [1, 3, 19]), ("lz4", [1, 3, 12]), ("bzip2", [1, 9])])
    func `the usual tool reads our frames as one file`(tool: String, levels: [Int]) throws {
        for level in levels {
            let stored = try CodecTestKit.encode(Self.frames, with: CodecTestKit.codec(tool, level: level))

            let read = try OracleTool.run(tool, ["-dc"], input: stored)

            #expect(read == Self.plain, "level \(level)")
        }
    }

    @Test(arguments: [
        ("gzip", ["-1"]), ("gzip", ["-9", "-n"]), ("gzip", ["-c", "-N", "{}"]), ("zstd", ["-1"]),
        ("zstd", ["-c", "{}"]),
        ("zstd", ["-19", "--no-check"]), ("zstd", ["--ultra", "-22", "--no-content-size"]), ("lz4", ["-1"]),
        ("lz4", ["-9", "-BD"]), ("lz4", ["-B4", "-BX", "--content-size", "-c", "{}"]), ("lz4", ["--no-frame-crc"]),
        ("bzip2", ["-1"]), ("bzip2", ["-9"]),
    ])
    func `we read the files of the usual tool, one after the other`(tool: String, options: [String]) throws {
        let arguments = options.contains("-c") ? options : options + ["-c"]
        let stored = try OracleTool.run(tool, arguments, input: Self.plain)
        let empty = try OracleTool.run(tool, arguments, input: [])

        let read = try CodecTestKit.decode(stored + empty + stored, with: CodecTestKit.codec(tool))

        #expect(read == Self.plain + Self.plain)
    }

    @Test(arguments: ["zstd", "lz4"]) func `skippable frames are skipped`(name: String) throws {
        let codec = try CodecTestKit.codec(name)
        let skippable = CodecTestKit.hex("502A4D18 05000000 0102030405")
        let stored = try CodecTestKit.encode([CodecTestKit.text(5000)], with: codec)

        let read = try CodecTestKit.decode(skippable + stored + skippable + stored + skippable, with: codec)

        #expect(read == CodecTestKit.text(5000) + CodecTestKit.text(5000))
    }

    @Test(arguments: ["gzip", "zstd", "lz4", "bzip2", "aes"]) func `a file of another format is named as such`(
        name: String
    )
        throws
    {
        let error = #expect(throws: CodecError.self) {
            try CodecTestKit.decode(CodecTestKit.text(100), with: CodecTestKit.codec(name))
        }

        #expect(error?.reason == .notThisFormat)
    }

    @Test(arguments: ["gzip", "zstd", "lz4", "bzip2", "aes"]) func `an empty file is a truncated one`(name: String)
        throws
    {
        let error = #expect(throws: CodecError.self) {
            try CodecTestKit.decode([], with: CodecTestKit.codec(name))
        }

        #expect(error?.reason == .truncated)
    }

    @Test(arguments: [1, 3, 22], [0, 1, 70_000, 1 << 20, 3 << 20])
    func `a zstd frame is a single segment with its content size and a checksum`(level: Int, size: Int) throws {
        let stored = try CodecTestKit.encode(
            [CodecTestKit.text(size)], with: CodecTestKit.codec("zstd", level: level),
            CodecTestKit.identity(frameByteCount: 4 << 20))

        #expect(stored[4] & 0b0010_0100 == 0b0010_0100)
    }

    @Test func `a damaged stream decoder stays damaged`() throws {
        let codec = try CodecTestKit.codec("zstd")
        let decoder = try codec.makeStreamDecoder(nil)
        let stored = try CodecTestKit.encode([CodecTestKit.text(100)], with: codec)
        for bytes in [CodecTestKit.text(100), stored] {
            let error = #expect(throws: CodecError.self) {
                try CodecTestKit.output(room: 200) { (output: inout OutputRawSpan) throws(CodecError) in
                    _ = try unsafe decoder.decode(bytes.span.bytes, into: &output)
                }
            }
            #expect(error?.reason == .notThisFormat)
        }

        #expect(throws: CodecError.self) { try decoder.finish() }
    }
}
