/// A reader of bytes that come from outside, and what must hold whatever they are: it ends, in bounds, with a result or an error,
/// and what it understood it understands again.
struct Parser: Sendable {
    let name: String
    let parse: @Sendable ([UInt8]) -> Void

    static var all: [Parser] { engine + wal + backends + codecs }

    /// Ends the process where two ways of reading the same bytes differ.
    static func require(_ holds: Bool, _ words: String) {
        if !holds { fatalError(words) }
    }
}
