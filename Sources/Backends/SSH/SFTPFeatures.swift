/// What a server said it can do when the session began.
struct SFTPFeatures: Sendable, Hashable {
    /// Packet size in bytes that every server takes (draft-ietf-secsh-filexfer-02, section 3).
    static let portableByteCount = 32_768
    /// Most bytes of one read or write: OpenSSH's server allows this much, less the header of a packet.
    static let maximumByteCount = 261_120

    /// The extensions of those we know.
    var extensions: Set<SFTPExtension> = []
    /// Most bytes that one read may ask for.
    var readByteCount = SFTPFeatures.portableByteCount
    /// Most bytes that one write may carry.
    var writeByteCount = SFTPFeatures.portableByteCount

    /// Whether the server offers an extension.
    func has(_ name: SFTPExtension) -> Bool { extensions.contains(name) }

    /// Makes the features of a server without extensions.
    init() {}

    /// Reads what a `version` packet offered.
    /// - Throws: `SFTPMalformed` for a protocol older than version 3.
    init(version: UInt32, offered: [String: [UInt8]]) throws(SFTPMalformed) {
        guard version >= 3 else { throw SFTPMalformed(detail: "SFTP version \(version), and version 3 is needed") }
        for name in SFTPExtension.allCases {
            guard let revision = offered[name.rawValue] else { continue }
            // Each has had one revision so far; another one may take other fields. (OpenSSH's PROTOCOL, section 4)
            let known = name == .statvfs ? "2" : "1"
            if revision == Array(known.utf8) { extensions.insert(name) }
        }
    }

    /// Takes over the sizes of a reply to `limits@openssh.com`; 0 stands for "no limit known".
    mutating func apply(limits: ArraySlice<UInt8>) throws(SFTPMalformed) {
        var cursor = SFTPCursor(limits)
        _ = try cursor.uint64()
        readByteCount = SFTPFeatures.size(try cursor.uint64())
        writeByteCount = SFTPFeatures.size(try cursor.uint64())
    }

    private static func size(_ limit: UInt64) -> Int {
        limit == 0 ? portableByteCount : Int(min(limit, UInt64(maximumByteCount)))
    }
}
