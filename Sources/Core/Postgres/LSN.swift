/// A log sequence number: a byte position in the write-ahead log, printed as `16/B374D848`.
///
/// PostgreSQL chapter "pg_lsn Type".
package struct LSN: Sendable, Hashable, Comparable, LosslessStringConvertible, Codable {
    /// Bytes from the beginning of the log.
    package let position: UInt64

    /// The position that PostgreSQL uses for "none".
    package static let zero = LSN(0)

    /// Makes a position.
    package init(_ position: UInt64) { self.position = position }

    /// Reads `X/Y`, two hexadecimal numbers of one to eight digits; nil when it is anything else.
    package init?(_ text: String) {
        let halves = text.split(separator: "/", omittingEmptySubsequences: false)
        guard halves.count == 2, let high = Self.half(halves[0]), let low = Self.half(halves[1]) else { return nil }
        position = UInt64(high) << 32 | UInt64(low)
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let lsn = try LSN(container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a log sequence number")
        }
        self = lsn
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    /// As PostgreSQL prints it: upper-case hexadecimal, no padding.
    package var description: String {
        let high = String(position >> 32, radix: 16, uppercase: true)
        let low = String(position & 0xFFFF_FFFF, radix: 16, uppercase: true)
        return "\(high)/\(low)"
    }

    /// The position so many bytes further on. It stops at the last possible position.
    package func advanced(by byteCount: Int) -> LSN {
        let (sum, isOver) = position.addingReportingOverflow(UInt64(max(0, byteCount)))
        return LSN(isOver ? .max : sum)
    }

    /// Bytes from `earlier` to this position; 0 when it is not earlier.
    package func byteCount(since earlier: LSN) -> UInt64 {
        position > earlier.position ? position - earlier.position : 0
    }

    package static func < (left: LSN, right: LSN) -> Bool { left.position < right.position }

    private static func half(_ digits: Substring) -> UInt32? {
        guard (1...8).contains(digits.utf8.count), digits.allSatisfy(\.isHexDigit) else { return nil }
        return UInt32(digits, radix: 16)
    }
}
