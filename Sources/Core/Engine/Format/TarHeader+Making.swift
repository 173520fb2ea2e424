extension TarHeader {
    /// What a header says about a file, a folder or a link that we put into a tar file.
    struct Entry {
        var kind = Member.Kind.file
        var path: [UInt8]
        var byteCount = 0
        /// Where a link points.
        var linkTarget: [UInt8] = []
        /// Permission bits.
        var mode: Int
        /// Seconds since 1970.
        var modifiedAt: Int
        /// The name of user and group, to whom `tar` gives the file where it may and they exist; empty says nothing.
        var owner = ""
    }

    /// Most that the size field holds in octal.
    private static let largestByteCount = 1 << 33 - 1
    private static let nameByteCount = 100
    private static let prefixByteCount = 155

    /// Makes the header of a regular file, for entries of our own such as WAL segments.
    static func make(path: String, byteCount: Int, mode: Int, modifiedAt: Int64) -> [UInt8] {
        make(Entry(path: Array(path.utf8), byteCount: byteCount, mode: mode, modifiedAt: Int(modifiedAt)))
    }

    /// Makes an entry's header: one block, or, where that cannot hold the name or the size, with a pax header in front
    /// (POSIX.1-2017, "pax", "ustar Interchange Format" and "pax Extended Header").
    static func make(_ entry: Entry) -> [UInt8] {
        let path = entry.kind == .folder ? entry.path + [0x2F] : entry.path
        var records: [UInt8] = []
        let split = split(path)
        if split == nil { records += record("path", path) }
        if entry.byteCount > largestByteCount { records += record("size", Array(String(entry.byteCount).utf8)) }
        if entry.linkTarget.count > nameByteCount { records += record("linkpath", entry.linkTarget) }
        let (prefix, name) = split ?? ([], path.suffix(nameByteCount))
        let kind: UInt8 =
            switch entry.kind {
            case .file, .incremental: 0x30
            case .link: 0x32
            case .folder: 0x35
            }
        var header = block(prefix: prefix, name: name, kind: kind, byteCount: entry.byteCount, entry)
        guard !records.isEmpty else { return header }
        let paxName = Array("PaxHeaders/".utf8) + path.suffix(nameByteCount - 12).filter { $0 != 0x2F }
        let pax = block(prefix: [], name: paxName[...], kind: 0x78, byteCount: records.count, entry)
        header = pax + records + padding(behind: records.count) + header
        return header
    }

    /// The zeros that fill the last block of a content.
    static func padding(behind byteCount: Int) -> [UInt8] {
        Array(repeating: 0, count: (512 - byteCount % 512) % 512)
    }

    /// Splits a path at a slash, so that both parts fit their fields; nil when there is none that does.
    private static func split(_ path: [UInt8]) -> (prefix: ArraySlice<UInt8>, name: ArraySlice<UInt8>)? {
        if path.count <= nameByteCount { return ([], path[...]) }
        // The slash itself is in neither; the one at a folder's end does not count.
        for index in path.indices.dropLast() where path[index] == 0x2F {
            let (prefix, name) = (path[..<index], path[(index + 1)...])
            if prefix.count <= prefixByteCount, name.count <= nameByteCount, !prefix.isEmpty { return (prefix, name) }
        }
        return nil
    }

    /// A record of a pax header: its own length, counted with its digits, then key and value.
    private static func record(_ key: String, _ value: [UInt8]) -> [UInt8] {
        let rest = Array(" \(key)=".utf8) + value + [0x0A]
        var count = rest.count + 1
        while String(count).utf8.count + rest.count != count { count = String(count).utf8.count + rest.count }
        return Array(String(count).utf8) + rest
    }

    private static func block(
        prefix: ArraySlice<UInt8>, name: ArraySlice<UInt8>, kind: UInt8, byteCount: Int, _ entry: Entry
    ) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ bytes: some Sequence<UInt8>, at offset: Int) {
            for (index, byte) in bytes.enumerated() { block[offset + index] = byte }
        }
        func put(octal value: Int, at offset: Int, digits: Int) {
            let text = String(min(max(0, value), 1 << (3 * digits) - 1), radix: 8)
            put((String(repeating: "0", count: digits - text.utf8.count) + text).utf8, at: offset)
        }
        put(name, at: 0)
        put(octal: entry.mode, at: 100, digits: 7)
        put(octal: 0, at: 108, digits: 7)
        put(octal: 0, at: 116, digits: 7)
        put(octal: byteCount > largestByteCount ? 0 : byteCount, at: 124, digits: 11)
        put(octal: entry.modifiedAt, at: 136, digits: 11)
        put("        ".utf8, at: 148)
        block[156] = kind
        put(entry.linkTarget.prefix(nameByteCount), at: 157)
        put("ustar".utf8, at: 257)
        put("00".utf8, at: 263)
        put(entry.owner.utf8.prefix(31), at: 265)
        put(entry.owner.utf8.prefix(31), at: 297)
        put(prefix, at: 345)
        put(octal: block.reduce(0) { $0 + Int($1) }, at: 148, digits: 6)
        block[154] = 0
        block[155] = 0x20
        return block
    }
}
