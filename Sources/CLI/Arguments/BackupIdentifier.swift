/// Names a backup of a server as users write it: `oldest`, `newest` or `latest`, a label, or a unique prefix of one.
package enum BackupIdentifier: Sendable, Hashable, CustomStringConvertible {
    /// The oldest valid backup.
    case oldest
    /// The newest valid backup.
    case newest
    /// A whole label: `YYYYMMDDHHMMSS`.
    case label(String)
    /// The beginning of exactly one label.
    case prefix(String)

    /// Reads an identifier.
    package init(_ text: String) throws(UsageError) {
        switch text {
        case "oldest": self = .oldest
        case "newest", "latest": self = .newest
        default:
            let isNumber = !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
            guard isNumber, text.utf8.count <= 14 else {
                throw UsageError(
                    "'\(text)' does not name a backup",
                    remedy: "Use oldest, newest, a label such as 20240928065644, or the beginning of one.")
            }
            self = text.utf8.count == 14 ? .label(text) : .prefix(text)
        }
    }

    package var description: String {
        switch self {
        case .oldest: "oldest"
        case .newest: "newest"
        case .label(let text), .prefix(let text): text
        }
    }
}
