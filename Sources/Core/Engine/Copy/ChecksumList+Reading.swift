extension ChecksumList {
    /// Reads what `text` made: the SHA-512 of each path.
    /// - Returns: nil when it is not such a list, or names a path twice.
    package static func digests(_ text: [UInt8]) -> [(path: String, sha512: String)]? {
        guard text.last == 0x0A, let whole = String(validating: text, as: UTF8.self) else { return nil }
        var seen: Set<String> = []
        var entries: [(path: String, sha512: String)] = []
        for line in whole.utf8.dropLast().split(separator: 0x0A, omittingEmptySubsequences: false) {
            let digest = line.prefix(128)
            let rest = line.dropFirst(128)
            let isDigest = digest.count == 128 && digest.allSatisfy { isDigit($0) }
            guard isDigest, rest.starts(with: "  ".utf8), rest.count > 2 else { return nil }
            let path = String(Substring(rest.dropFirst(2)))
            guard seen.insert(path).inserted else { return nil }
            entries.append((path, String(Substring(digest))))
        }
        return entries
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte) }
}
