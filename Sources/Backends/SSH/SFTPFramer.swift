/// Cuts a stream of bytes into packets.
struct SFTPFramer {
    /// Longest packet in bytes that is believed; a server answers with what was asked for, which is less than 256 KiB.
    static let maximumPacketByteCount = 1 << 20

    private var header: [UInt8] = []
    private var packet: [UInt8] = []
    private var missing = 0

    /// Whether a packet has begun and not ended.
    var isInsidePacket: Bool { !header.isEmpty || missing > 0 }

    /// Takes the next bytes of the stream and hands each packet that they complete to `body`, without its length field.
    /// - Throws: `SFTPMalformed` for a length that cannot be, or what `body` throws.
    mutating func feed(
        _ bytes: UnsafeRawBufferPointer, _ body: ([UInt8]) throws(SFTPMalformed) -> Void
    ) throws(SFTPMalformed) {
        var rest = unsafe bytes[...]
        while unsafe !rest.isEmpty {
            if missing == 0 {
                guard let byte = unsafe rest.popFirst() else { return }
                header.append(byte)
                if header.count == 4 { try beginPacket() }
                continue
            }
            let count = unsafe min(missing, rest.count)
            unsafe packet.append(contentsOf: rest.prefix(count))
            unsafe rest = rest.dropFirst(count)
            missing -= count
            if missing == 0 {
                let whole = packet
                packet = []
                try body(whole)
            }
        }
    }

    private mutating func beginPacket() throws(SFTPMalformed) {
        let length = header.reduce(0) { $0 << 8 | Int($1) }
        guard length > 0, length <= SFTPFramer.maximumPacketByteCount else {
            throw SFTPMalformed(detail: SFTPFramer.words(header, length))
        }
        header = []
        missing = length
        packet.reserveCapacity(length)
    }

    /// A login script that prints text is the usual cause of an impossible length: the text is shown then.
    private static func words(_ header: [UInt8], _ length: Int) -> String {
        guard header.allSatisfy({ (0x20..<0x7F).contains($0) }) else { return "a packet of \(length) bytes" }
        return "text where a packet should begin: '\(String(decoding: header, as: UTF8.self))…'"
    }
}
