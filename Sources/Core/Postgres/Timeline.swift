/// Numbers a history of a cluster; a promotion or a recovery to a point in time begins the next one. The first is 1.
package struct Timeline: Sendable, Hashable, Comparable, LosslessStringConvertible, Codable {
    /// The number, at least 1.
    package let number: UInt32

    /// The timeline of a cluster that `initdb` has just made.
    package static let first = Timeline(unchecked: 1)

    /// Makes a timeline; nil for 0, which is none.
    package init?(_ number: UInt32) {
        guard number > 0 else { return nil }
        self.number = number
    }

    /// Reads a decimal number; nil when it is not one or is 0.
    package init?(_ text: String) {
        guard let number = UInt32(text) else { return nil }
        self.init(number)
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let timeline = try Timeline(container.decode(UInt32.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "0 is not a timeline")
        }
        self = timeline
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(number)
    }

    package var description: String { String(number) }

    /// The name of the file that tells where this timeline came from, such as `00000002.history`.
    package var historyFileName: String { WALSegment.hexadecimal(UInt64(number)) + ".history" }

    package static func < (left: Timeline, right: Timeline) -> Bool { left.number < right.number }

    private init(unchecked number: UInt32) { self.number = number }
}
