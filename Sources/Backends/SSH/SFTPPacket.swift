/// The bytes of one request, with its length in front and room for its number.
struct SFTPPacket: Sendable {
    /// The whole packet as it is sent.
    private(set) var bytes: [UInt8]
    /// What it asks for, for counting: a type's name or an extension's name.
    let kind: String
    /// Whether the server may work on it for long without a word, as it does to force bytes to a slow disk.
    let isSlow: Bool

    /// Begins a packet of a type; the number of the request is filled in by `setNumber`.
    init(_ type: SFTPType, kind: String? = nil, isSlow: Bool = false, capacity: Int = 64) {
        bytes = []
        bytes.reserveCapacity(capacity)
        self.kind = kind ?? "\(type)"
        self.isSlow = isSlow
        bytes.append(contentsOf: [0, 0, 0, 0, type.rawValue, 0, 0, 0, 0])
    }

    /// The packet that begins a session: it carries the version in place of a request's number.
    static var greeting: SFTPPacket {
        var packet = SFTPPacket(.initialize)
        packet.setNumber(3)
        packet.close()
        return packet
    }

    /// Appends a number of four bytes.
    mutating func append(_ value: UInt32) { SFTPPacket.put(value) { bytes.append($0) } }

    /// Appends a number of eight bytes.
    mutating func append(_ value: UInt64) {
        append(UInt32(truncatingIfNeeded: value >> 32))
        append(UInt32(truncatingIfNeeded: value))
    }

    /// Appends bytes with their length in front.
    mutating func append(string: some Collection<UInt8>) {
        append(UInt32(string.count))
        bytes.append(contentsOf: string)
    }

    /// Appends text with its length in front.
    mutating func append(text: String) { append(string: text.utf8) }

    /// Appends bytes as they are.
    mutating func append(raw: UnsafeRawBufferPointer) { unsafe bytes.append(contentsOf: raw) }

    /// Fills in the length of what stands behind the length field.
    mutating func close() { overwrite(UInt32(bytes.count - 4), at: 0) }

    /// Fills in the number by which the reply is found.
    mutating func setNumber(_ number: UInt32) { overwrite(number, at: 5) }

    /// Writes a number of four bytes over what stands at `offset`.
    mutating func overwrite(_ value: UInt32, at offset: Int) {
        var place = offset
        SFTPPacket.put(value) {
            bytes[place] = $0
            place += 1
        }
    }

    private static func put(_ value: UInt32, _ body: (UInt8) -> Void) {
        for shift: UInt32 in [24, 16, 8, 0] { body(UInt8(truncatingIfNeeded: value >> shift)) }
    }
}

/// A write request that is filled piece by piece, so that an object's bytes are copied once.
struct SFTPWritePacket: Sendable {
    private var packet: SFTPPacket
    private let countOffset: Int
    /// Bytes of the object in it.
    private(set) var byteCount = 0
    /// Most bytes of the object that go into it.
    let limit: Int

    /// Begins a write of up to `limit` bytes at `offset` of the file.
    init(handle: SFTPHandle, offset: UInt64, limit: Int) {
        packet = SFTPPacket(.write, capacity: limit + handle.bytes.count + 64)
        packet.append(string: handle.bytes)
        packet.append(offset)
        countOffset = packet.bytes.count
        packet.append(UInt32(0))
        self.limit = limit
    }

    /// Takes as many of `bytes` as fit.
    /// - Returns: how many were taken.
    mutating func fill(from bytes: UnsafeRawBufferPointer) -> Int {
        let count = min(bytes.count, limit - byteCount)
        // Sound: `count` is at most the buffer's own count.
        unsafe packet.append(raw: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
        byteCount += count
        return count
    }

    /// The finished request.
    consuming func finished() -> SFTPPacket {
        packet.overwrite(UInt32(byteCount), at: countOffset)
        packet.close()
        return packet
    }
}
