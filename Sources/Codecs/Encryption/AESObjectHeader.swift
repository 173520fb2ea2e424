public import BackupAPI

/// What stands at the start of an encrypted object. Numbers are little-endian.
///
/// | offset | bytes | what |
/// |---|---|---|
/// | 0 | 6 | `PGMAES` |
/// | 6 | 1 | version, 1 |
/// | 7 | 1 | mode, 1 to 9 (`AESMode`) |
/// | 8 | 2 | bytes in this whole header |
/// | 10 | 4 | frame size: plain bytes in each frame but the last, before compression |
/// | 14 | 32 | salt, random |
/// | 46 | 7 | nonce prefix, random |
/// | 53 | … | key id, repository, object key, chain: each 2 bytes of length and that many bytes of UTF-8 |
///
/// Frames follow: 4 bytes of length, ciphertext, tag; the length counts ciphertext and tag. The header is authenticated
/// with every frame, so it needs no tag of its own.
public struct AESObjectHeader: Sendable, Hashable {
    /// How many bytes of an object tell its header's length.
    public static let prefixByteCount = 10
    /// Longest header: room for the longest object key and 1 KiB of other names.
    public static let maximumByteCount = 2048
    /// Largest frame size.
    public static let maximumFrameByteCount = 16 << 20

    static let magic = Array("PGMAES".utf8)
    static let version: UInt8 = 1
    static let saltByteCount = 32
    static let noncePrefixByteCount = 7
    private static let fixedByteCount = 53

    let mode: AESMode
    let keyID: String
    let salt: [UInt8]
    let noncePrefix: [UInt8]
    let identity: ObjectIdentity
    /// The header as it is stored.
    let bytes: [UInt8]

    /// Makes the header of a new object.
    /// - Throws: `.misconfigured` when the names are too long or the frame size is not 1 to `maximumFrameByteCount`.
    init(
        mode: AESMode, keyID: String, salt: [UInt8], noncePrefix: [UInt8], identity: ObjectIdentity
    ) throws(CodecError) {
        let texts = [keyID, identity.repository, identity.key, identity.chain]
        let byteCount = texts.reduce(Self.fixedByteCount) { $0 + 2 + $1.utf8.count }
        guard byteCount <= Self.maximumByteCount else {
            throw CodecError(.misconfigured, codec: mode.name, detail: "a header of \(byteCount) bytes")
        }
        guard (1...Self.maximumFrameByteCount).contains(identity.frameByteCount) else {
            throw CodecError(
                .misconfigured, codec: mode.name, detail: "a frame size of \(identity.frameByteCount) bytes")
        }
        var bytes = Self.magic + [Self.version, mode.rawValue]
        bytes.append(littleEndian: UInt16(byteCount))
        bytes.append(littleEndian: UInt32(identity.frameByteCount))
        bytes += salt + noncePrefix
        for text in texts { bytes.append(counted: text) }
        self.mode = mode
        self.keyID = keyID
        self.salt = salt
        self.noncePrefix = noncePrefix
        self.identity = identity
        self.bytes = bytes
    }

    /// Reads the header of a stored object.
    /// - Parameter bytes: exactly the header.
    /// - Parameter codec: who asks, for errors.
    init(parsing bytes: [UInt8], codec: String) throws(CodecError) {
        let byteCount = try Self.headerByteCount(prefix: bytes, codec: codec)
        guard bytes.count >= byteCount else { throw CodecError(.truncated, codec: codec) }
        guard bytes.count == byteCount else { throw CodecError(.damaged, codec: codec, detail: "header length") }
        guard let mode = AESMode(rawValue: bytes[7]) else {
            throw CodecError(.damaged, codec: codec, detail: "mode \(bytes[7])")
        }
        var rest = bytes.dropFirst(Self.prefixByteCount)
        let frameByteCount = Int(rest.takeLittleEndian(UInt32.self))
        guard (1...Self.maximumFrameByteCount).contains(frameByteCount) else {
            throw CodecError(.tooLarge, codec: codec, detail: "a frame size of \(frameByteCount) bytes")
        }
        salt = Array(rest.prefix(Self.saltByteCount))
        noncePrefix = Array(rest.dropFirst(Self.saltByteCount).prefix(Self.noncePrefixByteCount))
        rest = rest.dropFirst(Self.saltByteCount + Self.noncePrefixByteCount)
        var texts: [String] = []
        for _ in 0..<4 {
            guard let text = rest.takeText() else { throw CodecError(.damaged, codec: codec, detail: "header names") }
            texts.append(text)
        }
        guard rest.isEmpty else { throw CodecError(.damaged, codec: codec, detail: "header length") }
        self.mode = mode
        self.bytes = bytes
        keyID = texts[0]
        identity = ObjectIdentity(
            repository: texts[1], key: texts[2], chain: texts[3], frameByteCount: frameByteCount)
    }

    /// Tells from an object's first bytes how long its header is.
    /// - Parameter prefix: at least `prefixByteCount` bytes.
    /// - Throws: `.notThisFormat`, `.unknownVersion`, `.truncated`, or `.damaged` for a length that cannot be.
    public static func headerByteCount(prefix: [UInt8]) throws(CodecError) -> Int {
        try headerByteCount(prefix: prefix, codec: "aes")
    }

    static func headerByteCount(prefix: [UInt8], codec: String) throws(CodecError) -> Int {
        guard magic.starts(with: prefix.prefix(magic.count)) else { throw CodecError(.notThisFormat, codec: codec) }
        guard prefix.count >= prefixByteCount else { throw CodecError(.truncated, codec: codec) }
        guard prefix[6] == version else {
            throw CodecError(.unknownVersion, codec: codec, detail: "version \(prefix[6])")
        }
        let byteCount = Int(prefix[8]) | Int(prefix[9]) << 8
        guard (fixedByteCount + 4 * 2...maximumByteCount).contains(byteCount) else {
            throw CodecError(.damaged, codec: codec, detail: "a header of \(byteCount) bytes")
        }
        return byteCount
    }
}
