/// Quotes text that the layout could not carry as it is.
package enum LayoutQuoting {
    /// The text itself where it is plain, `''` where it is empty, else in double quotes with JSON's escapes.
    ///
    /// Control characters, line ends and marks that change a terminal's writing direction never come through as they are.
    package static func quoted(_ text: String) -> String {
        guard !text.isEmpty else { return "''" }
        return isPlain(text) ? text : "\"\(escaped(text))\""
    }

    /// The text with JSON's escapes, without quotes.
    package static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            default:
                if isUnsafe(scalar) {
                    let digits = String(scalar.value, radix: 16)
                    result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result
    }

    private static func isPlain(_ text: String) -> Bool {
        let scalars = text.unicodeScalars
        guard let first = scalars.first, let last = scalars.last, !scalars.contains(where: isUnsafe) else {
            return false
        }
        guard !first.properties.isWhitespace, !last.properties.isWhitespace, last != ":" else { return false }
        if "?,[]{}#&*!|>'\"%@`:".unicodeScalars.contains(first) { return false }
        // A dash begins a list item only before a blank or alone.
        if first == "-", text == "-" || text.hasPrefix("- ") { return false }
        return !text.utf8.contains(": ".utf8) && !text.utf8.contains(" #".utf8)
    }

    /// Control characters, line separators and direction marks; all of them are below U+10000.
    private static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0...0x1F, 0x7F...0x9F, 0x200E, 0x200F, 0x2028, 0x2029, 0x202A...0x202E, 0x2066...0x2069, 0xFEFF: true
        default: false
        }
    }
}
