/// What a server or libpq said about a fault, taken apart.
struct ServerMessage: Hashable {
    /// The error code, where one was sent.
    let sqlState: String?
    /// The words in one line.
    let text: String

    /// Keeps the parts of an error that came as a result.
    init(sqlState: String?, primary: String, detail: String? = nil, hint: String? = nil) {
        self.sqlState = sqlState
        text = Self.oneLine([primary, detail, hint].compactMap { $0 }.joined(separator: "; "))
    }

    /// Takes apart what `PQerrorMessage` gives with verbose errors: `FATAL:  28P01: password authentication failed …` and a
    /// line with the place in the server's source, which is dropped.
    init(verbose message: String) {
        var code: String?
        var lines: [String] = []
        for line in message.split(whereSeparator: \.isNewline) where !line.hasPrefix("LOCATION:") {
            var line = String(line)
            if let found = Self.codeRange(in: line) {
                code = code ?? String(line[found].prefix(5))
                line.removeSubrange(found)
            }
            lines.append(line)
        }
        sqlState = code
        text = Self.oneLine(lines.joined(separator: "; "))
    }

    /// Finds `XXXXX: ` behind `:  `, as in `FATAL:  28P01: …`, whatever the language of the first word.
    private static func codeRange(in line: String) -> Range<String.Index>? {
        var start = line.startIndex
        while let colon = line[start...].firstIndex(of: ":") {
            let code = line[colon...].dropFirst(3).prefix(5)
            let end = line[code.endIndex...].prefix(2)
            let isCode = code.utf8.count == 5 && code.allSatisfy { $0.isASCII && ($0.isNumber || $0.isUppercase) }
            if isCode, line[colon...].hasPrefix(":  "), end == ": " { return code.startIndex..<end.endIndex }
            start = line.index(after: colon)
        }
        return nil
    }

    private static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
}
