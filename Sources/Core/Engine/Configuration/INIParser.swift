/// Reads INI text: `[section]` and `key = value`, one a line.
///
/// `#` and `;` begin a comment only at the beginning of a line (blanks before it do not count), so that values may hold them. Lines
/// end with LF or CRLF. Blanks around keys and values are dropped; a value may stand in one pair of `'` or `"`, which are taken off.
package struct INIParser {
    private let fileName: String
    private var document = INIDocument()
    private var faults: [ConfigurationFault] = []
    private var ignoresEntries = false

    private init(fileName: String) { self.fileName = fileName }

    /// Reads all of `text` and gives what could be understood together with every fault.
    package static func parse(_ text: String, fileName: String) -> (INIDocument, [ConfigurationFault]) {
        var parser = INIParser(fileName: fileName)
        var bytes = text.utf8[...]
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
        var number = 0
        for line in bytes.split(separator: 0x0A, omittingEmptySubsequences: false) {
            number += 1
            parser.take(Substring(line).trimmedOfBlanks, number)
        }
        return (parser.document, parser.faults)
    }

    private mutating func take(_ line: Substring, _ number: Int) {
        guard let first = line.utf8.first, first != UInt8(ascii: "#"), first != UInt8(ascii: ";") else { return }
        if first == UInt8(ascii: "[") {
            takeSection(line, number)
        } else {
            takeEntry(line, number)
        }
    }

    private mutating func takeSection(_ line: Substring, _ number: Int) {
        ignoresEntries = true
        guard line.utf8.last == UInt8(ascii: "]") else {
            report(.syntax, number, "a section is written as [name] on a line of its own", "Close the bracket.")
            return
        }
        let name = line.dropFirst().dropLast().trimmedOfBlanks
        guard !name.isEmpty else {
            report(.syntax, number, "the section has no name", "Write [pgmoneta], [server-name] or [target:NAME].")
            return
        }
        if let earlier = document.sections.first(where: { $0.name == name }) {
            report(
                .duplicate, number, "section [\(name)] is already on line \(earlier.line)",
                "Put the settings of [\(name)] in one section.")
            return
        }
        ignoresEntries = false
        document.sections.append(.init(name: String(name), line: number, entries: []))
    }

    private mutating func takeEntry(_ line: Substring, _ number: Int) {
        guard let equals = line.utf8.firstIndex(of: UInt8(ascii: "=")) else {
            report(
                .syntax, number, "'\(line.shortened)' is neither [section] nor key = value",
                "Write key = value; a comment begins with '#' or ';'.")
            return
        }
        let key = line[..<equals].trimmedOfBlanks
        guard !key.isEmpty else {
            report(.syntax, number, "there is no key before '='", "Write key = value.")
            return
        }
        guard !ignoresEntries else { return }
        guard var section = document.sections.popLast() else {
            report(
                .syntax, number, "'\(key.shortened)' stands before the first section",
                "Put a line [pgmoneta] above it.")
            return
        }
        defer { document.sections.append(section) }
        if let earlier = section.entries.first(where: { $0.key == key }) {
            report(
                .duplicate, number, "'\(key)' is already set on line \(earlier.line)",
                "Keep one of the two lines.")
            return
        }
        let value = line[line.utf8.index(after: equals)...].trimmedOfBlanks.withoutQuotes
        section.entries.append(.init(key: String(key), value: String(value), line: number))
    }

    private mutating func report(
        _ kind: ConfigurationFault.Kind, _ line: Int, _ problem: String, _ remedy: String
    ) {
        faults.append(
            ConfigurationFault(kind, at: SourcePlace(file: fileName, line: line), problem: problem, remedy: remedy))
    }
}

extension Substring {
    /// Without spaces, tabs and carriage returns at both ends.
    package var trimmedOfBlanks: Substring {
        let blanks: Set<UInt8> = [0x20, 0x09, 0x0D]
        var bytes = utf8[...]
        while let first = bytes.first, blanks.contains(first) { bytes = bytes.dropFirst() }
        while let last = bytes.last, blanks.contains(last) { bytes = bytes.dropLast() }
        return Substring(bytes)
    }

    /// Without one pair of equal quotes around it.
    fileprivate var withoutQuotes: Substring {
        guard utf8.count >= 2, let first = utf8.first, first == utf8.last,
            first == UInt8(ascii: "'") || first == UInt8(ascii: "\"")
        else { return self }
        return Substring(utf8.dropFirst().dropLast())
    }

    /// What a message may repeat of a line.
    fileprivate var shortened: String { count <= 40 ? String(self) : prefix(40) + "…" }
}
