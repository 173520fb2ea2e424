/// Changes the text of a configuration and leaves comments, order and ends of lines as they are.
package enum INIEdit {
    /// The text with a setting in place of the one that it has; where there is none, with a line more at the section's end.
    /// - Parameter value: one line.
    /// - Returns: nil when there is no such section.
    package static func text(
        _ text: String, setting key: String, to value: String, inSection section: String
    ) -> String? {
        let (document, _) = INIParser.parse(text, fileName: "")
        guard let found = document.sections.first(where: { $0.name == section }) else { return nil }
        var lines = text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false).map { String(Substring($0)) }
        let entry = found.entries.first { $0.key == key }
        let last = (entry ?? found.entries.last)?.line ?? found.line
        let end = lines[last - 1].utf8.last == 0x0D ? "\r" : ""
        let line = "\(key) = \(quoted(value))\(end)"
        if entry != nil {
            lines[last - 1] = line
        } else {
            lines.insert(line, at: last)
        }
        return lines.joined(separator: "\n")
    }

    /// In quotes where the reader would take something off.
    private static func quoted(_ value: String) -> String {
        let (document, _) = INIParser.parse("[x]\nx = \(value)", fileName: "")
        return document.sections.first?.entries.first?.value == value ? value : "\"\(value)\""
    }
}
