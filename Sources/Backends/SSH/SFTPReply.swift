/// What a server answers.
enum SFTPReply: Sendable, Hashable {
    case version(UInt32, extensions: [String: [UInt8]])
    case status(SFTPStatus, message: String)
    case handle(SFTPHandle)
    case data(ArraySlice<UInt8>)
    case names([SFTPName])
    case attributes(SFTPAttributes)
    case extended(ArraySlice<UInt8>)

    /// Reads a packet without its length field.
    /// - Returns: the number of the request it answers (0 for `version`, which has none), and the answer.
    static func decode(_ packet: [UInt8]) throws(SFTPMalformed) -> (number: UInt32, reply: SFTPReply) {
        var cursor = SFTPCursor(packet[...])
        let code = try cursor.byte()
        guard let type = SFTPType(rawValue: code) else {
            throw SFTPMalformed(detail: "a packet of unknown type \(code)")
        }
        if type == .version { return (0, try version(&cursor)) }
        let number = try cursor.uint32()
        switch type {
        case .status: return (number, try status(&cursor))
        case .handle: return (number, .handle(try handle(&cursor)))
        case .data: return (number, .data(try cursor.string()))
        case .name: return (number, .names(try names(&cursor)))
        case .attributes: return (number, .attributes(try SFTPAttributes(from: &cursor)))
        case .extendedReply: return (number, .extended(cursor.rest))
        default: throw SFTPMalformed(detail: "a packet of type \(code), which only clients send")
        }
    }

    private static func version(_ cursor: inout SFTPCursor) throws(SFTPMalformed) -> SFTPReply {
        let version = try cursor.uint32()
        var extensions: [String: [UInt8]] = [:]
        while !cursor.isAtEnd {
            let name = try cursor.message()
            extensions[name] = Array(try cursor.string())
        }
        return .version(version, extensions: extensions)
    }

    private static func status(_ cursor: inout SFTPCursor) throws(SFTPMalformed) -> SFTPReply {
        let code = try cursor.uint32()
        // Old servers leave the message out.
        let message = cursor.isAtEnd ? "" : try cursor.message()
        guard let status = SFTPStatus(rawValue: code) else {
            return .status(.failure, message: "status \(code) \(message)")
        }
        return .status(status, message: message)
    }

    private static func handle(_ cursor: inout SFTPCursor) throws(SFTPMalformed) -> SFTPHandle {
        let bytes = try cursor.string()
        guard bytes.count <= 256 else { throw SFTPMalformed(detail: "a handle of \(bytes.count) bytes") }
        return SFTPHandle(bytes: Array(bytes))
    }

    private static func names(_ cursor: inout SFTPCursor) throws(SFTPMalformed) -> [SFTPName] {
        var names: [SFTPName] = []
        // No room is made by the count that the server names: it may be false.
        for _ in 0..<(try cursor.uint32()) {
            let name = Array(try cursor.string())
            _ = try cursor.string()
            names.append(SFTPName(bytes: name, attributes: try SFTPAttributes(from: &cursor)))
        }
        return names
    }
}
