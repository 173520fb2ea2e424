/// The 512-byte header of a tar entry (POSIX.1-1988, "ustar Interchange Format").
enum TarHeader {
    /// Reads a header whose content begins at `contentOffset`.
    static func parse(_ block: [UInt8], contentOffset: Int) throws(TarError) -> Member {
        func fault(_ words: String) -> TarError { TarError(offset: contentOffset - 512, words: words) }
        guard block.count == 512 else { throw fault("a header is not 512 bytes") }
        var sum = 0
        for (index, byte) in block.enumerated() { sum += (148..<156).contains(index) ? 0x20 : Int(byte) }
        guard number(block[148..<156]) == sum else { throw fault("a header's checksum is wrong") }
        guard let size = number(block[124..<136]), size >= 0 else { throw fault("a size is not a number") }
        guard let mode = number(block[100..<108]), let time = number(block[136..<148]) else {
            throw fault("a header's numbers are wrong")
        }
        // It is where a tablespace stands, which the record has to name.
        guard let link = String(validating: field(block[157..<257]), as: UTF8.self) else {
            throw fault("the target of a link is not UTF-8")
        }
        let (prefix, name) = (field(block[345..<500]), field(block[0..<100]))
        var path = ((prefix.isEmpty ? [] : prefix + [0x2F]) + name)[...]
        while path.starts(with: [0x2E, 0x2F]) { path = path.dropFirst(2) }
        while path.last == 0x2F { path = path.dropLast() }
        let kind: Member.Kind
        switch block[156] {
        case 0x30, 0x00: kind = .file
        case 0x35: kind = .folder
        case 0x32: kind = .link
        default: throw fault("an entry of type \(block[156]) is not expected")
        }
        return Member(
            kind: kind, path: PathText.text(path), mode: UInt32(truncatingIfNeeded: mode & 0o7777),
            modifiedAt: Int64(time), byteCount: kind == .file ? size : 0, offset: contentOffset,
            linkTarget: kind == .link ? link : "")
    }

    /// Makes the header of a regular file, for entries of our own such as WAL segments.
    static func make(path: String, byteCount: Int, mode: Int, modifiedAt: Int64) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at offset: Int) {
            for (index, byte) in text.utf8.enumerated() { block[offset + index] = byte }
        }
        func put(octal value: Int, at offset: Int, digits: Int) {
            let text = String(value, radix: 8)
            put(String(repeating: "0", count: max(0, digits - text.utf8.count)) + text, at: offset)
        }
        put(String(path.prefix(99)), at: 0)
        put(octal: mode, at: 100, digits: 7)
        put(octal: 0, at: 108, digits: 7)
        put(octal: 0, at: 116, digits: 7)
        if byteCount < 1 << 33 {
            put(octal: byteCount, at: 124, digits: 11)
        } else {
            block[124] = 0x80
            for index in 0..<8 { block[128 + index] = UInt8(truncatingIfNeeded: byteCount >> (8 * (7 - index))) }
        }
        put(octal: Int(modifiedAt), at: 136, digits: 11)
        put("        ", at: 148)
        block[156] = 0x30
        put("ustar", at: 257)
        put("00", at: 263)
        let sum = block.reduce(0) { $0 + Int($1) }
        put(octal: sum, at: 148, digits: 6)
        block[154] = 0
        block[155] = 0x20
        return block
    }

    /// An octal field, ended by a blank or a zero; or GNU's base-256 when its first bit is set.
    private static func number(_ field: ArraySlice<UInt8>) -> Int? {
        guard let first = field.first else { return nil }
        if first == 0x80 {
            var value = 0
            for byte in field.dropFirst() {
                guard value < 1 << 54 else { return nil }
                value = value << 8 | Int(byte)
            }
            return value
        }
        var value = 0
        for byte in field {
            if byte == 0 || byte == 0x20 {
                if value == 0 { continue }
                break
            }
            guard (0x30...0x37).contains(byte) else { return nil }
            value = value << 3 | Int(byte - 0x30)
        }
        return value
    }

    /// The bytes of a name, which a zero ends unless it fills the field.
    private static func field(_ field: ArraySlice<UInt8>) -> ArraySlice<UInt8> { field.prefix { $0 != 0 } }
}
