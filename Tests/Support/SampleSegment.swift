/// Builds a segment of PostgreSQL's log byte by byte, for tests without a server.
package struct SampleSegment {
    /// What pages of each major version begin with.
    package static let magics: [Int: UInt16] = [14: 0xD10D, 15: 0xD110, 16: 0xD113, 17: 0xD116, 18: 0xD118]
    private static let pageByteCount = 8192

    /// The segment; zeros behind the last record.
    package private(set) var bytes: [UInt8]
    private let magic: UInt16
    private let timeline: UInt32
    private let start: UInt64
    private var offset = 0
    private var previous: UInt64 = 0

    /// Begins a segment.
    /// - Parameters:
    ///   - number: counts segments from the beginning of the log.
    ///   - remaining: bytes of a record that began in the segment before.
    package init(
        number: UInt64 = 1, timeline: UInt32 = 1, major: Int = 17, byteCount: Int = 1 << 20,
        systemIdentifier: UInt64 = 7_000_000_000_000_000_007, remaining: Int = 0
    ) {
        bytes = [UInt8](repeating: 0, count: byteCount)
        magic = Self.magics[major] ?? 0
        self.timeline = timeline
        start = number * UInt64(byteCount)
        beginPage(remaining: remaining)
        put(systemIdentifier)
        put(UInt32(byteCount))
        put(UInt32(Self.pageByteCount))
        write([UInt8](repeating: 0xEE, count: remaining))
    }

    /// Its name.
    package var name: String {
        let segmentsPerFile = 0x1_0000_0000 / UInt64(bytes.count)
        let number = start / UInt64(bytes.count)
        return [UInt64(timeline), number / segmentsPerFile, number % segmentsPerFile].map { value in
            let digits = String(value, radix: 16, uppercase: true)
            return String(repeating: "0", count: 8 - digits.utf8.count) + digits
        }.joined()
    }

    /// Appends a record.
    /// - Returns: its position in the log.
    @discardableResult
    package mutating func add(manager: UInt8, info: UInt8, data: [UInt8]) -> UInt64 {
        offset = (offset + 7) & ~7
        if offset % Self.pageByteCount == 0 { beginPage(remaining: 0) }
        let position = start + UInt64(offset)
        let body =
            data.count < 256
            ? [255, UInt8(data.count)] + data : [254] + Self.littleEndian(UInt32(data.count)) + data
        let header =
            Self.littleEndian(UInt32(24 + body.count)) + Self.littleEndian(UInt32(700))
            + Self.littleEndian(previous) + [info, manager, 0, 0] + Self.littleEndian(UInt32(0))
        write(header + body)
        previous = position
        return position
    }

    /// Appends the commit of a transaction.
    /// - Parameter time: in microseconds since 1970.
    @discardableResult
    package mutating func addCommit(at time: Int64, info: UInt8 = 0x00) -> UInt64 {
        add(manager: 1, info: info, data: Self.littleEndian(UInt64(bitPattern: time - 946_684_800_000_000)))
    }

    /// Appends a restore point.
    package mutating func addRestorePoint(_ name: String) {
        let text = Array(name.utf8)
        add(
            manager: 0, info: 0x70,
            data: [UInt8](repeating: 0, count: 8) + text + [UInt8](repeating: 0, count: 64 - text.count))
    }

    private mutating func write(_ content: [UInt8]) {
        var left = content[...]
        while !left.isEmpty {
            guard offset < bytes.count else { return }
            if offset % Self.pageByteCount == 0 { beginPage(remaining: left.count) }
            let room = Self.pageByteCount - offset % Self.pageByteCount
            put(Array(left.prefix(room)))
            left = left.dropFirst(room)
        }
    }

    private mutating func beginPage(remaining: Int) {
        let page = start + UInt64(offset)
        put(magic)
        put(UInt16(remaining > 0 ? 1 : 0) | (page == start ? 2 : 0))
        put(timeline)
        put(page)
        put(UInt32(remaining))
        put(UInt32(0))
    }

    private mutating func put(_ number: some FixedWidthInteger) { put(Self.littleEndian(number)) }

    private mutating func put(_ content: [UInt8]) {
        bytes.replaceSubrange(offset..<offset + content.count, with: content)
        offset += content.count
    }

    private static func littleEndian(_ number: some FixedWidthInteger) -> [UInt8] {
        (0..<number.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }
}
