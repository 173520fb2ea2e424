/// What two texts that must be the same differ in, short enough for the first line of a test's failure.
enum TextDifference {
    private static let mostLines = 6

    /// Lines that only one of two texts has, with `-` and `+` before them, and no more than a few; none where they are equal.
    static func lines(_ first: String, _ second: String) -> [String] {
        lines(first.split(separator: "\n").map(String.init), second.split(separator: "\n").map(String.init))
    }

    /// The same for texts that are lines already.
    static func lines(_ first: [String], _ second: [String]) -> [String] {
        let changes = second.difference(from: first).map { change in
            switch change {
            case .remove(_, let line, _): "- \(line.prefix(200))"
            case .insert(_, let line, _): "+ \(line.prefix(200))"
            }
        }
        let rest = changes.count - mostLines
        return Array(changes.prefix(mostLines)) + (rest > 0 ? ["and \(rest) more lines"] : [])
    }
}
