/// Paths by their bytes. `String` compares canonically and does not see a `/` that a combining mark follows; servers do.
extension String {
    /// The parts between slashes, without empty ones.
    var slashedParts: [String] { utf8.split(separator: 0x2F).compactMap { String($0) } }

    /// The beginning up to and with the last slash; empty when there is none.
    var throughLastSlash: String {
        guard let slash = utf8.lastIndex(of: 0x2F) else { return "" }
        return String(self[...slash])
    }

    /// The beginning before the last slash; empty when there is none.
    var beforeLastSlash: String {
        guard let slash = utf8.lastIndex(of: 0x2F) else { return "" }
        return String(self[..<slash])
    }
}

/// A folder's path on the server, compared by its bytes.
struct FolderPath: Sendable, Hashable {
    /// The path.
    let string: String

    static func == (left: FolderPath, right: FolderPath) -> Bool { left.string.utf8.elementsEqual(right.string.utf8) }

    func hash(into hasher: inout Hasher) { for byte in string.utf8 { hasher.combine(byte) } }

    /// The folder it lies in.
    var parent: FolderPath { FolderPath(string: string.beforeLastSlash) }
}
