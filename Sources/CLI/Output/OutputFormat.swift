/// The three forms of a reply; they carry the same data.
package enum OutputFormat: String, Sendable, Hashable, CaseIterable {
    /// For people: names and units.
    case text
    /// For machines: names for enumerations, numbers for sizes and times.
    case json
    /// The layout of `text` with plain values.
    case raw

    /// The number that `raw` shows.
    package var number: Int {
        switch self {
        case .text: 0
        case .json: 1
        case .raw: 2
        }
    }
}
