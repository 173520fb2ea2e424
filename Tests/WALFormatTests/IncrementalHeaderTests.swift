import Testing

@testable import WALFormat

@Suite struct IncrementalHeaderTests {
    /// The bytes of a header: the numbers little-endian, without padding.
    private static func bytes(_ numbers: [UInt32]) -> [UInt8] {
        numbers.flatMap { number in (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }
    }

    private static func read(_ bytes: [UInt8], pieces: Int) throws -> IncrementalHeader? {
        var reader = IncrementalHeaderReader()
        for start in stride(from: 0, to: bytes.count, by: pieces) {
            let piece = Array(bytes[start..<min(bytes.count, start + pieces)])
            try unsafe piece.withUnsafeBytes { try unsafe reader.consume($0) }
        }
        return reader.header
    }

    @Test(arguments: [1, 3, 4, 7, 4096])
    func `a header is read from pieces of any length`(pieces: Int) throws {
        let bytes = Self.bytes([0xd3ae_1f0d, 5, 100, 3, 4, 5, 90, 120]) + [UInt8](repeating: 0xFF, count: 9000)

        let header = try #require(try Self.read(bytes, pieces: pieces))

        #expect(
            header.runs == [
                BlockRun(first: 3, count: 3), BlockRun(first: 90, count: 1), BlockRun(first: 120, count: 1),
            ])
        #expect(header.blockCount == 5)
        #expect(header.truncationBlockCount == 100)
        #expect(header.restoredBlockCount == 121)
        #expect(header.byteCount == 8192)
        #expect(header.fileByteCount == 6 * 8192)
    }

    @Test func `blocks are found by their place in the file`() throws {
        let header = try #require(
            IncrementalHeader(
                truncationBlockCount: 9, runs: [BlockRun(first: 3, count: 2), BlockRun(first: 7, count: 1)]))

        let blocks = (0..<4).map { header.block(at: $0) }

        #expect(blocks == [3, 4, 7, nil])
        #expect(header.offset(ofRun: 1) == 8192 + 2 * 8192)
    }

    @Test func `a file without blocks has a header without padding`() throws {
        let header = try #require(try Self.read(Self.bytes([0xd3ae_1f0d, 0, 7]), pieces: 5))

        #expect(header.byteCount == 12)
        #expect(header.fileByteCount == 12)
        #expect(header.restoredBlockCount == 7)
    }

    @Test(
        arguments: [
            [1, 0, 0], [0xd3ae_1f0d, 131_073, 0], [0xd3ae_1f0d, 0, 131_073], [0xd3ae_1f0d, 2, 9, 5, 5],
            [0xd3ae_1f0d, 2, 9, 5, 4], [0xd3ae_1f0d, 1, 9, 131_072], [0xd3ae_1f0d, 2, 9, .max, .max],
        ] as [[UInt32]])
    func `a malformed header is refused`(numbers: [UInt32]) {
        #expect(throws: IncrementalHeaderError.self) { try Self.read(Self.bytes(numbers), pieces: 4) }
    }

    @Test func `a header that ends too early is none`() throws {
        #expect(try Self.read(Self.bytes([0xd3ae_1f0d, 2, 9, 5]), pieces: 3) == nil)
    }
}
