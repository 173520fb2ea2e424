/// How large a cluster's WAL segments are: a power of two from 1 MiB to 1 GiB, 16 MiB unless `initdb --wal-segsize` said other.
package struct WALSegmentSize: Sendable, Hashable {
    /// Bytes of one segment.
    package let byteCount: Int

    /// 16 MiB.
    package static let standard = WALSegmentSize(unchecked: 16 << 20)

    /// Makes a size; nil when PostgreSQL does not allow it.
    package init?(byteCount: Int) {
        guard byteCount >= 1 << 20, byteCount <= 1 << 30, byteCount & (byteCount - 1) == 0 else { return nil }
        self.byteCount = byteCount
    }

    private init(unchecked byteCount: Int) { self.byteCount = byteCount }

    /// Segments for each number in the upper half of a position.
    var segmentsPerLogicalFile: UInt64 { 0x1_0000_0000 / UInt64(byteCount) }
}

/// A file of the write-ahead log: so many bytes of one timeline, from a multiple of the segment size.
package struct WALSegment: Sendable, Hashable {
    /// The history it belongs to.
    package let timeline: Timeline
    /// Counts segments from the beginning of the log.
    package let number: UInt64
    /// The cluster's segment size.
    package let size: WALSegmentSize

    /// The segment that holds the byte at `position`.
    package init(containing position: LSN, timeline: Timeline, size: WALSegmentSize) {
        self.timeline = timeline
        self.size = size
        number = position.position / UInt64(size.byteCount)
    }

    /// Reads a file name of 24 hexadecimal digits: timeline, upper half, segment in it; nil when it is not one.
    package init?(name: String, size: WALSegmentSize) {
        let digits = Array(name.utf8)
        guard digits.count == 24, name.allSatisfy({ $0.isHexDigit && !$0.isLowercase }) else { return nil }
        let parts = stride(from: 0, to: 24, by: 8).compactMap {
            UInt32(String(decoding: digits[$0..<$0 + 8], as: UTF8.self), radix: 16)
        }
        guard parts.count == 3, let timeline = Timeline(parts[0]), UInt64(parts[2]) < size.segmentsPerLogicalFile else {
            return nil
        }
        self.timeline = timeline
        self.size = size
        number = UInt64(parts[1]) * size.segmentsPerLogicalFile + UInt64(parts[2])
    }

    /// The file's name, such as `000000010000000000000002`.
    package var name: String {
        Self.hexadecimal(UInt64(timeline.number)) + Self.hexadecimal(number / size.segmentsPerLogicalFile)
            + Self.hexadecimal(number % size.segmentsPerLogicalFile)
    }

    /// The position of its first byte.
    package var start: LSN { LSN(number &* UInt64(size.byteCount)) }

    /// The position behind its last byte.
    package var end: LSN { start.advanced(by: size.byteCount) }

    /// Eight upper-case hexadecimal digits.
    static func hexadecimal(_ number: UInt64) -> String {
        let digits = String(number, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, 8 - digits.count)) + digits
    }
}

extension LSN {
    /// Whether a segment begins here.
    package func isSegmentStart(size: WALSegmentSize) -> Bool { position % UInt64(size.byteCount) == 0 }

    /// The first position at or behind this one where a segment begins.
    package func roundedUpToSegment(size: WALSegmentSize) -> LSN {
        isSegmentStart(size: size) ? self : WALSegment(containing: self, timeline: .first, size: size).end
    }

    /// The beginning of the segment that holds this position.
    package func roundedDownToSegment(size: WALSegmentSize) -> LSN {
        LSN(position - position % UInt64(size.byteCount))
    }
}
