import BackupCLI
import BackupEngine
import Glibc

/// The page for a person at night: what is wrong first, then each server with its WAL and its backups. One file, without scripts.
struct StatusPage: Sendable {
    let state: DaemonState

    /// The page.
    var html: String {
        let servers = state.all
        let troubles = servers.flatMap { server in server.troubles.map { "\(server.name): \($0)" } }
        let verdict =
            troubles.isEmpty
            ? "<p class=\"good\">All is well.</p>"
            : "<ul class=\"bad\">" + troubles.map { "<li>\(Self.escaped($0))</li>" }.joined() + "</ul>"
        return """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
            <meta http-equiv="refresh" content="30"><title>pgmoneta</title><style>
            \(Self.style)
            </style></head><body>
            <h1>pgmoneta \(ProgramVersion.text)</h1>
            \(verdict)
            \(servers.map(section).joined(separator: "\n"))
            <p class="small">\(Self.moment(time(nil))) UTC · running for \(Self.span(time(nil) - state.startedAt)) ·
            <a href="/metrics">metrics</a></p>
            </body></html>

            """
    }

    private func section(_ server: DaemonState.Server) -> String {
        let backups = server.backups?.backups ?? []
        let newest = backups.last { $0.validity == .yes }.flatMap { BackupLabel($0.label) }
        let age = newest.map { Self.span(time(nil) - $0.secondsSince1970) + " old" } ?? "none"
        let size = HumanSize.text(backups.reduce(0) { $0 + $1.backupByteCount })
        let facts =
            (server.isOnline ? [] : [("Mode", "offline: the daemon was told to leave it alone")])
            + [("Newest valid backup", age), ("Backups", "\(backups.count), \(size)")] + Self.facts(server.receiver)
        return """
            <section><h2>\(Self.escaped(server.name))</h2>
            <dl>\(facts.map { "<dt>\($0)</dt><dd>\(Self.escaped($1))</dd>" }.joined())</dl>
            \(ChainPicture(backups: backups).svg)
            <table><thead><tr><th>Backup</th><th>Type</th><th>Size</th><th>Valid</th><th>Verified</th><th>Targets</th></tr></thead>
            <tbody>\(backups.reversed().map(Self.row).joined(separator: "\n"))</tbody></table></section>
            """
    }

    private static func facts(_ receiver: ReceiverProgress.Reading?) -> [(String, String)] {
        guard let receiver else { return [] }
        let stream =
            receiver.isStreaming
            ? "streaming, timeline \(receiver.timeline), safe up to \(receiver.safe)" : "not streaming"
        return [
            ("WAL", stream),
            ("WAL that waits", "\(receiver.waitingCount) files, \(HumanSize.text(receiver.waitingByteCount))"),
            ("Last archived", receiver.archived ?? "–"), ("Gaps", "\(receiver.gapCount)"),
        ]
    }

    private static func row(_ backup: BackupSummary) -> String {
        let targets = backup.targets.filter { $0.status != .absent }.map {
            $0.target + ($0.status == .failed ? " ✗" : "")
        }
        let cells = [
            backup.label + (backup.isKept ? " (kept)" : ""), backup.parent.map { "on \($0)" } ?? "full",
            HumanSize.text(backup.backupByteCount), backup.validity == .yes ? "yes" : "no",
            backup.verifiedAt.map(moment) ?? "never", targets.joined(separator: ", "),
        ]
        return "<tr class=\"\(backup.validity == .yes ? "valid" : "invalid")\">"
            + cells.map { "<td>\(escaped($0))</td>" }.joined() + "</tr>"
    }

    /// Text as HTML shows it.
    static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;").replacing("'", with: "&#39;")
    }

    private static func moment(_ seconds: Int) -> String {
        let time = CalendarTime(secondsSince1970: seconds)
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(time.year)-\(two(time.month))-\(two(time.day)) \(two(time.hour)):\(two(time.minute))"
    }

    private static func span(_ seconds: Int) -> String {
        switch seconds {
        case ..<120: "\(seconds) s"
        case ..<7200: "\(seconds / 60) min"
        case ..<172_800: "\(seconds / 3600) h"
        default: "\(seconds / 86_400) days"
        }
    }

    private static let style = """
        :root{color-scheme:light dark}
        body{font:16px/1.45 system-ui,sans-serif;margin:0 auto;max-width:60rem;padding:1rem}
        h1{font-size:1.3rem}h2{font-size:1.1rem;margin:1.5rem 0 .3rem}
        table{border-collapse:collapse;width:100%;font-size:.9rem}
        td,th{text-align:left;padding:.2rem .4rem;border-bottom:1px solid #8884;overflow-wrap:anywhere}
        dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.1rem 1rem;margin:.3rem 0}
        dt{opacity:.7}dd{margin:0;overflow-wrap:anywhere}.good{color:#197a3c;font-weight:600}.bad{color:#c22;font-weight:600}
        .invalid td{color:#c22}.small{opacity:.7;font-size:.85rem}
        svg{max-width:100%;height:auto}svg text{font-size:10px;fill:currentColor}
        """
}
