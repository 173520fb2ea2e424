/// What a server sent is not SFTP version 3.
struct SFTPMalformed: Error, Sendable, Hashable {
    /// What is wrong, in a few words.
    let detail: String
}

/// Reads the fields of a packet from front to back; every read is checked against the packet's end.
struct SFTPCursor {
    /// What has not been read yet.
    private(set) var rest: ArraySlice<UInt8>

    /// Begins at the front of `bytes`.
    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    /// Whether everything was read.
    var isAtEnd: Bool { rest.isEmpty }

    /// Reads one byte.
    mutating func byte() throws(SFTPMalformed) -> UInt8 {
        guard let byte = rest.popFirst() else { throw SFTPMalformed(detail: "a packet ends too early") }
        return byte
    }

    /// Reads a number of four bytes, most significant first.
    mutating func uint32() throws(SFTPMalformed) -> UInt32 {
        var value: UInt32 = 0
        for byte in try take(4) { value = value << 8 | UInt32(byte) }
        return value
    }

    /// Reads a number of eight bytes, most significant first.
    mutating func uint64() throws(SFTPMalformed) -> UInt64 {
        var value: UInt64 = 0
        for byte in try take(8) { value = value << 8 | UInt64(byte) }
        return value
    }

    /// Reads a run of bytes with its length in front.
    mutating func string() throws(SFTPMalformed) -> ArraySlice<UInt8> {
        let count = try uint32()
        return try take(Int(count))
    }

    /// Reads text with its length in front; bytes that are not UTF-8 are replaced, so it is for messages only.
    mutating func message() throws(SFTPMalformed) -> String {
        String(decoding: try string(), as: UTF8.self)
    }

    private mutating func take(_ count: Int) throws(SFTPMalformed) -> ArraySlice<UInt8> {
        guard count <= rest.count else { throw SFTPMalformed(detail: "a packet ends too early") }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }
}
