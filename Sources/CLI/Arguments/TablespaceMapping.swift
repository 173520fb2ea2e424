/// `--tablespace-mapping old=new`: where a tablespace is restored to instead. `\=` stands for `=` in a path.
package struct TablespaceMapping: Sendable, Hashable {
    /// The directory in the backup.
    package let old: String
    /// The directory to restore to.
    package let new: String

    /// Makes a mapping of absolute paths.
    package init(old: String, new: String) { (self.old, self.new) = (old, new) }

    /// Reads a mapping.
    package init(_ text: String) throws(UsageError) {
        var parts = [""]
        var rest = Substring(text)
        while let character = rest.popFirst() {
            if character == "\\", rest.first == "=" {
                parts[parts.count - 1] += "="
                rest = rest.dropFirst()
            } else if character == "=" {
                parts.append("")
            } else {
                parts[parts.count - 1].append(character)
            }
        }
        guard parts.count == 2, parts.allSatisfy({ $0.hasPrefix("/") }) else {
            throw UsageError(
                "'\(text)' is not a tablespace mapping",
                remedy: "Write /old/directory=/new/directory, with '\\=' for '=' in a path.")
        }
        (old, new) = (parts[0], parts[1])
    }
}
