extension [UInt8] {
    /// Appends a number, lowest byte first.
    mutating func append(littleEndian number: some FixedWidthInteger & UnsignedInteger) {
        for index in 0..<number.bitWidth / 8 {
            append(UInt8(truncatingIfNeeded: number >> (index * 8)))
        }
    }

    /// Appends a text as 2 bytes of length and its bytes of UTF-8.
    /// - Parameter text: at most 65 535 bytes; headers allow less.
    mutating func append(counted text: String) {
        append(littleEndian: UInt16(text.utf8.count))
        append(contentsOf: text.utf8)
    }
}

extension ArraySlice<UInt8> {
    /// Takes a number from the front, lowest byte first; missing bytes count as 0.
    mutating func takeLittleEndian<Number: FixedWidthInteger & UnsignedInteger>(_: Number.Type) -> Number {
        let bytes = prefix(Number.bitWidth / 8)
        self = dropFirst(bytes.count)
        return bytes.reversed().reduce(0) { $0 << 8 | Number($1) }
    }

    /// Takes a text from the front: 2 bytes of length and its bytes of UTF-8; nil when it is cut or not UTF-8.
    mutating func takeText() -> String? {
        guard count >= 2 else { return nil }
        let byteCount = Int(takeLittleEndian(UInt16.self))
        guard count >= byteCount else { return nil }
        let bytes = prefix(byteCount)
        self = dropFirst(byteCount)
        return String(validating: bytes, as: UTF8.self)
    }
}
