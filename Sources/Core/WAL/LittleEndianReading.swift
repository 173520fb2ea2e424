extension UnsafeRawBufferPointer {
    /// The little-endian number at an offset; nil when it is not wholly inside.
    func number<Number: FixedWidthInteger>(at offset: Int, as _: Number.Type = Number.self) -> Number? {
        guard offset >= 0, offset <= count - MemoryLayout<Number>.size else { return nil }
        // Sound: the bounds were checked, and a number may stand at any address.
        return unsafe Number(littleEndian: loadUnaligned(fromByteOffset: offset, as: Number.self))
    }
}

extension [UInt8] {
    /// The little-endian number at an offset; nil when it is not wholly inside.
    func number<Number: FixedWidthInteger>(at offset: Int, as _: Number.Type = Number.self) -> Number? {
        unsafe withUnsafeBytes { unsafe $0.number(at: offset) }
    }
}
