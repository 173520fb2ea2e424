import TestSupport
import Testing

@testable import WALFormat

@Suite struct WALSegmentReaderTests {
    private static let time: Int64 = 1_700_000_000_123_456

    private func read(_ bytes: [UInt8]) throws -> WALSegmentReader {
        var reader = WALSegmentReader()
        for start in stride(from: 0, to: bytes.count, by: WALPageHeader.pageByteCount) {
            let page = Array(bytes[start..<min(bytes.count, start + WALPageHeader.pageByteCount)])
            try unsafe page.withUnsafeBytes { try unsafe reader.consume(page: $0) }
        }
        return reader
    }

    /// A segment with records of all kinds that matter, some of them over several pages.
    private func sample(_ major: Int = 17) -> (segment: SampleSegment, last: UInt64) {
        var segment = SampleSegment(number: 5, timeline: 2, major: major, remaining: 20_000)
        segment.add(manager: 10, info: 0x20, data: [UInt8](repeating: 1, count: 100))
        segment.addCommit(at: Self.time - 5)
        segment.add(manager: 10, info: 0x20, data: [UInt8](repeating: 2, count: 30_000))
        segment.addRestorePoint("before the change")
        segment.addCommit(at: Self.time, info: 0xA0)
        segment.addCommit(at: Self.time - 1, info: 0x30)
        segment.addRestorePoint("after it")
        let last = segment.add(manager: 10, info: 0x20, data: [UInt8](repeating: 3, count: 9000))
        return (segment, last)
    }

    @Test(arguments: [14, 15, 16, 17, 18])
    func `a segment tells its version, its cluster, its transactions and its restore points`(major: Int) throws {
        let (segment, last) = sample(major)

        let reader = try read(segment.bytes)

        let header = try #require(reader.header)
        #expect(header.majorVersion == major)
        #expect(header.timeline == 2)
        #expect(header.address == 5 << 20)
        #expect(header.remainingByteCount == 20_000)
        #expect(header.segment == .init(systemIdentifier: 7_000_000_000_000_000_007, byteCount: 1 << 20))
        #expect(reader.lastTransactionAt == Self.time)
        #expect(reader.restorePoints == ["before the change", "after it"])
        #expect(reader.lastRecord == last)
    }

    @Test func `a record that goes on in the next segment is not the last one of this`() throws {
        var segment = SampleSegment(number: 5)
        let whole = segment.addCommit(at: Self.time)
        segment.add(manager: 10, info: 0x20, data: [UInt8](repeating: 2, count: 2 << 20))

        let reader = try read(segment.bytes)

        #expect(reader.lastRecord == whole)
    }

    @Test func `what stands behind the end of the log is not believed`() throws {
        var segment = SampleSegment(number: 5)
        let last = segment.addCommit(at: Self.time)
        // What a segment held before it was used again: right records, but of another place in the log.
        var old = SampleSegment(number: 2)
        for second in 0..<2000 { old.addCommit(at: Self.time + 1_000_000 * Int64(second + 1)) }
        let bytes = Array(segment.bytes[..<8192] + old.bytes[8192...])

        let reader = try read(bytes)

        #expect(reader.lastRecord == last)
        #expect(reader.lastTransactionAt == Self.time)
    }

    @Test func `a record that does not name the one before is not believed`() throws {
        var segment = SampleSegment(number: 5)
        segment.addCommit(at: Self.time)
        let last = segment.addCommit(at: Self.time + 1)
        let third = segment.addCommit(at: Self.time + 2)
        var bytes = segment.bytes
        bytes[Int(third - 5 << 20) + 8] ^= 8

        let reader = try read(bytes)

        #expect(reader.lastRecord == last)
        #expect(reader.lastTransactionAt == Self.time + 1)
    }

    @Test(
        arguments: [
            (0, 0xFF), (2, 0x12), (2, 0x00), (4, 0x00), (8, 0x07), (10, 0x01), (34, 0x11), (35, 0x80), (37, 0x40),
        ] as [(Int, UInt8)])
    func `a first page that cannot be one of a segment is refused`(offset: Int, value: UInt8) {
        var bytes = SampleSegment(number: 5).bytes
        bytes[offset] = value

        #expect(throws: WALFormatError.self) { try read(bytes) }
    }

    @Test func `a header that is cut off is refused at each length`() {
        let bytes = SampleSegment(number: 5).bytes

        for count in 0..<40 {
            let piece = Array(bytes[..<count])
            #expect(throws: WALFormatError.self) {
                try unsafe piece.withUnsafeBytes { _ = try unsafe WALPageHeader($0) }
            }
        }
    }

    @Test func `whatever bit is changed, a segment is read to an end or refused`() throws {
        let bytes = Array(sample().segment.bytes[..<(10 * 8192)])
        var numbers = SeededNumbers(seed: 7)
        var refused = 0

        for _ in 0..<3000 {
            var changed = bytes
            let bit = Int.random(in: 0..<changed.count * 8, using: &numbers)
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            if (try? read(changed)) == nil { refused += 1 }
        }

        // Most of them hit what the reader does not look at.
        #expect(refused < 100)
    }
}
