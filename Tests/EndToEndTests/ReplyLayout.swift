import Testing

/// A reply in the indented layout of `text` and `raw`.
struct ReplyLayout {
    /// All keys, each with those above it: `Response/Backups/Valid`.
    private(set) var keys: Set<String> = []
    private var values: [String: String] = [:]

    /// Takes the lines apart.
    /// - Throws: when a line does not belong to a reply.
    init(_ text: String) throws {
        var above: [(indent: Int, key: String)] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            var rest = line.drop { $0 == " " }
            var indent = line.count - rest.count
            if rest.hasPrefix("- ") {
                rest = rest.dropFirst(2)
                indent += 2
                // An item that is a text has no key.
                if !rest.contains(":") { continue }
            }
            let colon = try #require(rest.firstIndex(of: ":"), "not a line of a reply: \(line)")
            above.removeAll { $0.indent >= indent }
            above.append((indent, String(rest[..<colon])))
            let path = above.map(\.key).joined(separator: "/")
            keys.insert(path)
            values[path] = String(rest[rest.index(after: colon)...].dropFirst())
        }
        try #require(keys.filter { !$0.contains("/") } == Set(["Header", "Outcome", "Request", "Response"]))
    }

    /// The value at a path; of a list's items, that of the last.
    subscript(path: String) -> String? { values[path] }
}
