/// A message from the server in a stream of WAL (PostgreSQL chapter "Streaming Replication Protocol").
enum WALMessage: Equatable {
    /// `w`: WAL from this position on, behind a header; the server has it up to its end.
    case data(at: LSN, serverEnd: LSN)
    /// `k`: the server has sent everything up to here, and may want an answer.
    case keepalive(serverEnd: LSN, wantsReply: Bool)

    /// Bytes before the WAL in a `w` message: type, position, end, time.
    static let dataHeaderByteCount = 25

    /// Reads a message; nil for one that the protocol does not have, or that is too short.
    init?(_ message: UnsafeRawBufferPointer) {
        guard let type = unsafe message.first else { return nil }
        switch type {
        case UInt8(ascii: "w"):
            guard message.count >= Self.dataHeaderByteCount else { return nil }
            self = unsafe .data(at: LSN(Self.number(message, at: 1)), serverEnd: LSN(Self.number(message, at: 9)))
        case UInt8(ascii: "k"):
            guard message.count >= 18 else { return nil }
            self = unsafe .keepalive(serverEnd: LSN(Self.number(message, at: 1)), wantsReply: message[17] != 0)
        default: return nil
        }
    }

    /// A status update: what was received, what is safe here (`zero`: not known), and whether the server shall answer.
    /// - Parameter microseconds: the time since the beginning of the year 2000.
    static func statusUpdate(received: LSN, safe: LSN, wantsReply: Bool, microseconds: Int64) -> [UInt8] {
        var bytes = [UInt8(ascii: "r")]
        for number in [received.position, safe.position, 0, UInt64(bitPattern: microseconds)] {
            unsafe withUnsafeBytes(of: number.bigEndian) { unsafe bytes.append(contentsOf: $0) }
        }
        bytes.append(wantsReply ? 1 : 0)
        return bytes
    }

    private static func number(_ message: UnsafeRawBufferPointer, at offset: Int) -> UInt64 {
        UInt64(bigEndian: unsafe message.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
}
