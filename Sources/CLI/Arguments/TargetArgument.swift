import BackupAPI

/// A target as somebody typed it: a name, a path or a URL.
enum TargetArgument {
    /// The text for replies and messages.
    ///
    /// A URL with a password in it is refused, but the reply repeats what was asked for. Where the text is no target, everything
    /// before its last `@` may belong to a password, whatever characters that has.
    static func shown(_ text: String) -> String {
        guard let at = text.utf8.lastIndex(of: UInt8(ascii: "@")), (try? TargetLocation(text)) == nil else {
            return text
        }
        let scheme = text[..<at].firstRange(of: "://").map { text[..<$0.upperBound] } ?? ""
        return "\(scheme)***\(text[at...])"
    }
}
