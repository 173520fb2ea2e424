/// A value in a reply that knows each of its forms: for people (`text`), plain (`raw`) and for machines (`json`).
package indirect enum OutputValue: Sendable, Hashable {
    /// Shown with sorted keys.
    case object([String: OutputValue])
    case list([OutputValue])
    case string(String)
    case integer(Int)
    case bool(Bool)
    /// Bytes: `8.14MB` for people, a number else.
    case size(Int)
    /// A value of an enumeration: its name for people and machines, its number in `raw`.
    case named(String, number: Int)
    /// One half of an LSN: hexadecimal for people, a number else.
    case hexadecimal(UInt32)
    /// How long something took: `00:00:20`, and seconds for machines.
    case elapsed(seconds: Int)
}

extension OutputValue {
    /// The command, by name and number.
    package static func command(_ command: CommandName) -> OutputValue {
        .named(command.rawValue, number: command.number)
    }

    /// Whether a backup is known to be good.
    package static func validity(_ validity: Validity) -> OutputValue {
        .named(validity.rawValue, number: validity.number)
    }

    /// The two halves of an LSN, as fields of the samples: `<name>HiLSN` and `<name>LoLSN`.
    package static func lsn(_ name: String, _ position: UInt64) -> [String: OutputValue] {
        [
            "\(name)HiLSN": .hexadecimal(UInt32(truncatingIfNeeded: position >> 32)),
            "\(name)LoLSN": .hexadecimal(UInt32(truncatingIfNeeded: position)),
        ]
    }
}

/// Whether a backup is known to be good.
package enum Validity: String, Sendable, Hashable, CaseIterable {
    case yes, no, unknown

    /// The number that `raw` shows.
    package var number: Int {
        switch self {
        case .yes: 1
        case .no: 0
        case .unknown: -1
        }
    }
}
