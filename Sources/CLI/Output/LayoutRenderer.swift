/// Writes a value in the indented layout of `text` and `raw`: sorted keys, two spaces a level, `- ` before list items.
///
/// The layout is a subset of YAML: what could be read as something else is quoted.
package struct LayoutRenderer {
    /// Whether values are written for people.
    package let isTranslated: Bool

    /// Makes a renderer for `text` (translated) or `raw`.
    package init(isTranslated: Bool) { self.isTranslated = isTranslated }

    /// The lines of an object, each ended by a newline.
    package func render(_ object: [String: OutputValue]) -> String {
        var text = ""
        append(object, indent: 0, to: &text)
        return text
    }

    /// A value on one line; nil when it takes several.
    package func scalar(_ value: OutputValue) -> String? {
        switch value {
        case .object(let members): members.isEmpty ? "{}" : nil
        case .list(let items): items.isEmpty ? "[]" : nil
        case .string(let text): LayoutQuoting.quoted(text)
        case .integer(let number): String(number)
        case .bool(let flag): flag ? "true" : "false"
        case .size(let count): isTranslated ? HumanSize.text(count) : String(count)
        case .named(let name, let number): isTranslated ? LayoutQuoting.quoted(name) : String(number)
        case .hexadecimal(let half): isTranslated ? String(half, radix: 16, uppercase: true) : String(half)
        case .elapsed(let seconds): ElapsedTime.text(seconds: seconds)
        }
    }

    private func append(_ object: [String: OutputValue], indent: Int, to text: inout String) {
        for (key, value) in object.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            text += String(repeating: " ", count: indent)
            append(key, value, indent: indent, to: &text)
        }
    }

    private func append(_ key: String, _ value: OutputValue, indent: Int, to text: inout String) {
        text += LayoutQuoting.quoted(key)
        if let line = scalar(value) {
            text += ": \(line)\n"
            return
        }
        text += ":\n"
        switch value {
        case .object(let members): append(members, indent: indent + 2, to: &text)
        case .list(let items): append(items, indent: indent + 2, to: &text)
        default: break
        }
    }

    private func append(_ items: [OutputValue], indent: Int, to text: inout String) {
        for item in items {
            text += String(repeating: " ", count: indent) + "- "
            if let line = scalar(item) {
                text += line + "\n"
                continue
            }
            var inner = ""
            switch item {
            case .object(let members): append(members, indent: indent + 2, to: &inner)
            case .list(let items): append(items, indent: indent + 2, to: &inner)
            default: break
            }
            // The first line stands behind the dash.
            text += inner.dropFirst(indent + 2)
        }
    }
}
