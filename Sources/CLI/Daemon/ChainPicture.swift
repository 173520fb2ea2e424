import BackupCLI

/// The chains of a server as a drawing: a line for each full backup, with what builds on it to its right.
struct ChainPicture {
    private static let (stepX, stepY, left) = (26, 22, 130)
    private static let mostChains = 12
    let backups: [BackupSummary]

    /// The drawing of the newest chains; nothing when there is nothing to draw.
    var svg: String {
        let known = Set(backups.map(\.label))
        let roots = backups.filter { $0.parent.map { !known.contains($0) } ?? true }.suffix(Self.mostChains)
        guard !roots.isEmpty else { return "" }
        var drawing = Drawing(children: Dictionary(grouping: backups) { $0.parent ?? "" })
        for root in roots { drawing.add(root, column: 0, from: nil) }
        let width = Self.left + (drawing.columnCount + 1) * Self.stepX
        let height = drawing.row * Self.stepY + 4
        return "<svg role=\"img\" aria-label=\"chains of backups\" width=\"\(width)\" height=\"\(height)\" "
            + "viewBox=\"0 0 \(width) \(height)\">\(drawing.shapes)</svg>"
    }

    private struct Drawing {
        let children: [String: [BackupSummary]]
        var shapes = ""
        var columnCount = 0
        var row = 0

        mutating func add(_ backup: BackupSummary, column: Int, from parent: (x: Int, y: Int)?) {
            let (x, y) = (left + column * stepX, row * stepY + 13)
            if let parent {
                shapes += "<path d=\"M\(parent.x) \(parent.y)L\(x) \(y)\" stroke=\"currentColor\" opacity=\".4\"/>"
            } else {
                shapes += "<text x=\"0\" y=\"\(y + 4)\">\(StatusPage.escaped(backup.label))</text>"
            }
            let color = backup.validity == .yes ? "#197a3c" : "#c22"
            shapes +=
                "<circle cx=\"\(x)\" cy=\"\(y)\" r=\"\(backup.parent == nil ? 7 : 4)\" fill=\"\(color)\">"
                + "<title>\(StatusPage.escaped(backup.label))</title></circle>"
            columnCount = max(columnCount, column)
            for (number, child) in (children[backup.label] ?? []).enumerated() {
                if number > 0 { row += 1 }
                add(child, column: column + 1, from: (x, y))
            }
            if parent == nil { row += 1 }
        }
    }
}
