package import PostgresClient

/// The name of a file that PostgreSQL archives (documentation, "Continuous Archiving"; `xlog_internal.h`).
package struct WALFileName: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// What PostgreSQL keeps under such a name.
    package enum Kind: Sendable, Hashable {
        /// `000000010000000000000002`: so many bytes of the log.
        case segment
        /// `000000010000000000000002.partial`: the last segment of a timeline that another one went on from.
        case partial
        /// `000000010000000000000002.00000028.backup`: where a backup began and ended.
        case backup
        /// `00000002.history`: where a timeline came from.
        case history
    }

    package let string: String
    package let kind: Kind
    package let timeline: Timeline
    /// Orders segments by their place in the log, whatever their timeline and size: the last sixteen digits of a segment's name;
    /// 0 for a history.
    package let place: UInt64

    /// Reads a name; nil when it is none that PostgreSQL archives.
    package init?(_ string: String) {
        let parts = string.split(separator: ".", omittingEmptySubsequences: false)
        let kind: Kind
        switch (parts.count, parts.last) {
        case (1, _): kind = .segment
        case (2, "partial"): kind = .partial
        case (2, "history"): kind = .history
        case (3, "backup"): kind = .backup
        default: return nil
        }
        guard Self.isNumber(parts[0], digits: kind == .history ? 8 : 24),
            kind != .backup || Self.isNumber(parts[1], digits: 8),
            let timeline = UInt32(parts[0].prefix(8), radix: 16).flatMap({ Timeline($0) }),
            let place = kind == .history ? 0 : UInt64(parts[0].dropFirst(8), radix: 16)
        else { return nil }
        self.string = string
        self.kind = kind
        self.timeline = timeline
        self.place = place
    }

    package var description: String { string }

    /// Whether it holds a run of the log, with headers that can be checked.
    package var isLog: Bool { kind == .segment || kind == .partial }

    package static func < (left: WALFileName, right: WALFileName) -> Bool { left.string < right.string }

    private static func isNumber(_ text: Substring, digits: Int) -> Bool {
        text.utf8.count == digits && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x41...0x46).contains($0) }
    }
}
