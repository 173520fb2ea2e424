import Testing

@testable import PostgresClient

@Suite struct LSNTests {
    @Test(arguments: [
        ("0/0", 0), ("0/1", 1), ("16/B374D848", 0x16_B374_D848), ("FFFFFFFF/FFFFFFFF", UInt64.max),
        ("1/0", 0x1_0000_0000),
    ])
    func `a position is read and printed as PostgreSQL does`(text: String, position: UInt64) {
        #expect(LSN(text)?.position == position)
        #expect(LSN(position).description == text)
    }

    @Test(arguments: [
        "", "/", "1", "1/", "/1", "1/2/3", "G/1", "1/G", "123456789/0", "0/123456789", " 1/2", "+1/2", "-1/2",
    ])
    func `anything else is not a position`(text: String) {
        #expect(LSN(text) == nil)
    }

    @Test func `distances do not run over the ends`() {
        let last = LSN(.max)

        #expect(last.advanced(by: 1) == last)
        #expect(LSN(10).byteCount(since: LSN(20)) == 0)
        #expect(LSN(20).byteCount(since: LSN(10)) == 10)
        #expect(LSN(5).advanced(by: 7) == LSN(12))
    }

    @Test func `timelines and system identifiers are positive decimal numbers`() {
        #expect(Timeline("7")?.number == 7)
        #expect(Timeline("0") == nil)
        #expect(Timeline("x") == nil)
        #expect(Timeline("17")?.historyFileName == "00000011.history")
        #expect(SystemIdentifier("18446744073709551615")?.number == .max)
        #expect(SystemIdentifier("-1") == nil)
    }
}

@Suite struct WALSegmentTests {
    @Test(arguments: [
        (0x0, 16 << 20, "000000030000000000000000"),
        (0x1_0000_0000, 16 << 20, "000000030000000100000000"),
        (0x16_B374_D848, 16 << 20, "0000000300000016000000B3"),
        (0x16_B374_D848, 1 << 20, "000000030000001600000B37"),
        (0x16_B374_D848, 1 << 30, "000000030000001600000002"),
    ])
    func `a segment is named as PostgreSQL names it, and found by its name`(
        position: UInt64, size: Int, name: String
    ) throws {
        let size = try #require(WALSegmentSize(byteCount: size))
        let timeline = try #require(Timeline(3 as UInt32))

        let segment = WALSegment(containing: LSN(position), timeline: timeline, size: size)

        #expect(segment.name == name)
        #expect(WALSegment(name: name, size: size) == segment)
        #expect(segment.start <= LSN(position) && LSN(position) < segment.end)
    }

    @Test(arguments: [
        "", "00000003000000160000", "0000000300000016000001B3", "000000000000000000000001", "00000003.history",
        "0000000300000016000000b3", "0000000300000016000000B3.partial",
    ])
    func `other names are not segments`(name: String) {
        #expect(WALSegment(name: name, size: .standard) == nil)
    }

    @Test func `only powers of two from 1 MiB to 1 GiB are segment sizes`() {
        #expect(WALSegmentSize(byteCount: 3 << 20) == nil)
        #expect(WALSegmentSize(byteCount: 1 << 19) == nil)
        #expect(WALSegmentSize(byteCount: 1 << 31) == nil)
        #expect(WALSegmentSize(setting: "16MB") == .standard)
        #expect(WALSegmentSize(setting: "1GB")?.byteCount == 1 << 30)
        #expect(WALSegmentSize(setting: "16 monkeys") == nil)
    }

    @Test func `positions are rounded to segments`() {
        let boundary = LSN(32 << 20)

        #expect(boundary.roundedUpToSegment(size: .standard) == boundary)
        #expect(LSN(boundary.position + 1).roundedUpToSegment(size: .standard) == LSN(48 << 20))
        #expect(LSN(boundary.position + 1).roundedDownToSegment(size: .standard) == boundary)
    }
}
