/// Writes a value as JSON (RFC 8259): sorted keys, two spaces a level, the same bytes for the same value.
package enum JSONRenderer {
    /// The text, ended by a newline.
    package static func render(_ value: OutputValue) -> String {
        var text = ""
        append(value, indent: 0, to: &text)
        return text + "\n"
    }

    private static func append(_ value: OutputValue, indent: Int, to text: inout String) {
        switch value {
        case .object(let members):
            let sorted = members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            append(sorted, "{", "}", indent, to: &text) { member, text in
                text += "\(string(member.key)): "
                append(member.value, indent: indent + 2, to: &text)
            }
        case .list(let items):
            append(items, "[", "]", indent, to: &text) { append($0, indent: indent + 2, to: &$1) }
        case .string(let content): text += string(content)
        case .integer(let number), .size(let number), .elapsed(let number): text += String(number)
        case .bool(let flag): text += flag ? "true" : "false"
        case .named(let name, _): text += string(name)
        case .hexadecimal(let half): text += String(half)
        }
    }

    private static func append<Item>(
        _ items: [Item], _ open: String, _ close: String, _ indent: Int, to text: inout String,
        _ write: (Item, inout String) -> Void
    ) {
        guard !items.isEmpty else {
            text += open + close
            return
        }
        text += open
        for (index, item) in items.enumerated() {
            text += (index == 0 ? "\n" : ",\n") + String(repeating: " ", count: indent + 2)
            write(item, &text)
        }
        text += "\n" + String(repeating: " ", count: indent) + close
    }

    private static func string(_ content: String) -> String { "\"\(LayoutQuoting.escaped(content))\"" }
}
