import BackupAPI

extension ConformanceBench {
    /// Names that shells, URLs, XML, SQL and file systems like to change.
    private static let names = [
        "with space", " leading space", "trailing space ", "two  spaces", "percent%", "percent%2Fcode", "%00", "%25",
        "plus+plus", "single'quote", "double\"quote", "back`quote", "back\\slash", "\\", "C:\\x", "question?x=y&z",
        "hash#fragment", "semi;colon", "a=b&c", "at@sign", "colon:x", "comma,x", "dollar$HOME", "${HOME}", "$(id)",
        "*", "a|b", "<tag>", "&amp;", "[x]", "{y}", "(z)", "^", "!", "~", "~user", "-", "-rf", "--", "...", ".hidden",
        "..hidden", "trailing.", "x..", ".pgmoneta-tm", ".tmp", "name.tmp", "UPPER", "upper", "con", "NUL",
        "composed-\u{E9}", "decomposed-e\u{301}", "\u{E9}", "e\u{301}", "\u{212B}", "\u{C5}", "A\u{30A}",
        "\u{301}mark-first", "joins-what-follows\u{600}", "\u{4F60}\u{597D}", "\u{1F468}\u{200D}\u{1F469}",
        "\u{5D0}\u{5D1}", "\u{FEFF}bom",
        "\u{2028}", "\u{A0}", "\u{FFFD}", "\u{10FFFF}",
    ]

    /// Checks `names-are-kept`: as names of objects and of folders, all at once.
    func checkNamesAreKept() async throws {
        var keys: [ObjectKey] = []
        for name in ConformanceBench.names {
            keys.append(try key("objects/" + name))
            keys.append(try key("folders/\(name)/x"))
        }
        keys.append(try key("long/" + String(repeating: "n", count: ObjectKey.maximumComponentByteCount)))
        keys.append(try longestKey())
        for (index, key) in keys.enumerated() { try await write(content(index), to: key) }
        keys.sort()
        for (index, key) in keys.enumerated() where index % 2 == 0 {
            let told = try await other.stat(key)
            try require(told.key == key, "stat of '\(key)' names '\(told.key)'")
        }
        let listed = try await entries(ListRequest(prefix: folder), on: other).map { Array($0.position.utf8) }
        for (found, key) in zip(listed, keys) where found != Array(key.string.utf8) {
            throw LawViolation(words: "'\(key)' is listed as '\(String(decoding: found, as: UTF8.self))'")
        }
        try require(listed.count == keys.count, "\(keys.count) names were written and \(listed.count) are listed")
        try await checkEachName()
        let refused = try await backend.delete(keys)
        try require(refused.isEmpty, "\(refused.count) names cannot be deleted")
        let left = try await listedNames()
        try require(left.isEmpty, "after delete, \(left.count) names are left, such as '\(left.first ?? "")'")
    }

    private func checkEachName() async throws {
        for (index, name) in ConformanceBench.names.enumerated() {
            let object = try await read(try key("objects/" + name))
            try require(object == content(2 * index), "'objects/\(name)' holds other bytes")
            let inFolder = try await read(try key("folders/\(name)/x"))
            try require(inFolder == content(2 * index + 1), "'folders/\(name)/x' holds other bytes")
            let byPrefix = try await entries(ListRequest(prefix: folder + "folders/\(name)/"))
            try require(byPrefix.count == 1, "the prefix 'folders/\(name)/' lists \(byPrefix.count) objects, not 1")
        }
    }

    /// A key of the greatest length, or as long as the folder of the run leaves room for.
    private func longestKey() throws -> ObjectKey {
        var name = "longest"
        let room = ObjectKey.maximumByteCount - folder.utf8.count
        while name.utf8.count + 102 <= room { name += "/" + String(repeating: "d", count: 100) }
        return try key(name)
    }

    private func content(_ index: Int) -> [UInt8] { Array("name \(index)".utf8) }
}
