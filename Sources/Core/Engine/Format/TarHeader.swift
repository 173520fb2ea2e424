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
