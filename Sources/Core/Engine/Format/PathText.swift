/// Names and paths of files as text, and back, whatever bytes they are (docs/FORMAT.md, "Paths").
///
/// To a file system a name is bytes. Those that are well-formed UTF-8 stay as they are. Any other byte, which is at least 0x80,
/// becomes the character U+10FF00 + byte; of the characters that stand for bytes in this way, U+10FF80 to U+10FFFF, a name that
/// has them itself keeps each of its bytes. So no two names have the same text, and no text stands for an ASCII character.
package enum PathText {
    private static let escapes: ClosedRange<UInt32> = 0x10FF80...0x10FFFF

    /// The text of a name.
    package static func text(_ bytes: some Collection<UInt8>) -> String {
        if let text = String(validating: bytes, as: UTF8.self), !hasEscapes(text) { return text }
        var text = String.UnicodeScalarView()
        var rest = Array(bytes)[...]
        while !rest.isEmpty {
            let (scalar, length) = first(of: rest)
            if let scalar {
                text.append(scalar)
            } else {
                text.append(contentsOf: rest.prefix(length).map(escape))
            }
            rest = rest.dropFirst(length)
        }
        return String(text)
    }

    /// The name that a text stands for.
    package static func bytes(_ text: String) -> [UInt8] {
        guard hasEscapes(text) else { return Array(text.utf8) }
        return text.unicodeScalars.flatMap { scalar in
            escapes.contains(scalar.value)
                ? [UInt8(truncatingIfNeeded: scalar.value)] : Array(String(Character(scalar)).utf8)
        }
    }

    /// A text for people: bytes that are no UTF-8 as `\xE9`.
    package static func shown(_ text: String) -> String {
        guard hasEscapes(text) else { return text }
        return text.unicodeScalars.reduce(into: "") { shown, scalar in
            if escapes.contains(scalar.value) {
                shown += "\\x" + String(scalar.value & 0xFF, radix: 16, uppercase: true)
            } else {
                shown.unicodeScalars.append(scalar)
            }
        }
    }

    /// Whether a text stands for bytes that are not its own UTF-8.
    package static func hasEscapes(_ text: String) -> Bool {
        // Their UTF-8 begins with 0xF4, which hardly any name has.
        text.utf8.contains(0xF4) && text.unicodeScalars.contains { escapes.contains($0.value) }
    }

    /// The first character, or nil where its bytes have to be escaped, and how many bytes it is.
    private static func first(of bytes: ArraySlice<UInt8>) -> (Unicode.Scalar?, Int) {
        var parser = Unicode.UTF8.ForwardParser()
        var iterator = bytes.makeIterator()
        switch parser.parseScalar(from: &iterator) {
        case .valid(let encoded):
            let scalar = Unicode.UTF8.decode(encoded)
            return (escapes.contains(scalar.value) ? nil : scalar, encoded.count)
        case .error(let length): return (nil, length)
        case .emptyInput: return (nil, bytes.count)
        }
    }

    /// Bytes below 0x80 are characters of their own, so this is a character.
    private static func escape(_ byte: UInt8) -> Unicode.Scalar {
        Unicode.Scalar(0x10FF00 | UInt32(byte)) ?? "\u{FFFD}"
    }
}
