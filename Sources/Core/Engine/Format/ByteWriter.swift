/// Appends numbers (little-endian) and texts (a 16-bit length, then UTF-8 or any bytes) to an array.
struct ByteWriter {
    private(set) var bytes: [UInt8] = []

    mutating func append<Number: FixedWidthInteger>(_ number: Number) {
        var rest = number.littleEndian
        for _ in 0..<Number.bitWidth / 8 {
            bytes.append(UInt8(truncatingIfNeeded: rest))
            rest >>= 8
        }
    }

    mutating func append(raw: [UInt8]) { bytes.append(contentsOf: raw) }

    /// Texts longer than 65,535 bytes are cut by the caller's own rules before they come here.
    mutating func append(text: String) {
        append(UInt16(clamping: text.utf8.count))
        bytes.append(contentsOf: text.utf8.prefix(Int(UInt16.max)))
    }
}

/// Reads what a `ByteWriter` wrote; every step is checked against the end.
struct ByteReader {
    private let bytes: [UInt8]
    private(set) var offset = 0

    /// The bytes end before what they promise.
    struct Truncated: Error {
        let offset: Int
    }

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var remaining: Int { bytes.count - offset }

    mutating func number<Number: FixedWidthInteger>(_: Number.Type = Number.self) throws(Truncated) -> Number {
        let width = Number.bitWidth / 8
        guard remaining >= width else { throw Truncated(offset: offset) }
        var value: Number = 0
        for index in 0..<width { value |= Number(truncatingIfNeeded: bytes[offset + index]) << (8 * index) }
        offset += width
        return value
    }

    mutating func raw(_ count: Int) throws(Truncated) -> [UInt8] {
        guard count >= 0, remaining >= count else { throw Truncated(offset: offset) }
        defer { offset += count }
        return Array(bytes[offset..<offset + count])
    }

    mutating func text() throws(Truncated) -> String {
        let count = Int(try number(UInt16.self))
        guard remaining >= count else { throw Truncated(offset: offset) }
        let text = unsafe bytes.withUnsafeBufferPointer {
            unsafe String(validating: UnsafeBufferPointer(rebasing: $0[offset..<offset + count]), as: UTF8.self)
        }
        guard let text else { throw Truncated(offset: offset) }
        offset += count
        return text
    }

    /// A count that is followed by at least `minimumByteCount` bytes for each.
    mutating func count(minimumByteCount: Int) throws(Truncated) -> Int {
        let count = Int(try number(UInt32.self))
        guard count <= remaining / max(1, minimumByteCount) else { throw Truncated(offset: offset) }
        return count
    }
}
