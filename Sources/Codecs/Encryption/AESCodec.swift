internal import BackupAPI

/// Encryption with AES, always authenticated. See `AESObjectHeader` for the format and `AESObjectSecrets` for the keys.
///
/// An object's frames must each be encoded once, or with the same plain bytes again: their nonces come from their places.
struct AESCodec: Codec {
    /// What is added to an object's name.
    static let suffix = ".aes"

    let mode: AESMode
    let keys: KeyRing

    var name: String { mode.name }
    var suffix: String { Self.suffix }

    var parameters: [String: String] { keys.currentID.map { ["key": $0] } ?? [:] }

    func maximumEncodedByteCount(forPlain byteCount: Int) -> Int {
        AESObject.lengthByteCount + mode.sealedByteCount(forPlain: byteCount)
    }

    func beginObject(_ identity: ObjectIdentity) throws(CodecError) -> any ObjectCodec {
        let random = OpenSSLCryptography()
        return try beginObject(
            identity, salt: random.randomBytes(AESObjectHeader.saltByteCount),
            noncePrefix: random.randomBytes(AESObjectHeader.noncePrefixByteCount))
    }

    /// Begins a new object with chosen instead of random bytes, for known-answer tests.
    func beginObject(
        _ identity: ObjectIdentity, salt: [UInt8], noncePrefix: [UInt8]
    ) throws(CodecError) -> AESObject {
        guard let keyID = keys.currentID else { throw CodecError(.keyMissing, codec: name) }
        return try open(
            AESObjectHeader(mode: mode, keyID: keyID, salt: salt, noncePrefix: noncePrefix, identity: identity))
    }

    func openObject(_ identity: ObjectIdentity, header: [UInt8]) throws(CodecError) -> any ObjectCodec {
        let header = try AESObjectHeader(parsing: header, codec: name)
        try check(header, is: identity)
        return try open(header)
    }

    /// With an identity the object must have been written by this mode; without, its header names the mode.
    func makeStreamDecoder(_ identity: ObjectIdentity?) -> any StreamDecoder {
        AESStreamDecoder(codec: self, identity: identity)
    }

    /// Throws `.notAuthentic` when the header is another object's.
    func check(_ header: AESObjectHeader, is identity: ObjectIdentity) throws(CodecError) {
        guard header.identity == identity else {
            throw CodecError(.notAuthentic, codec: name, detail: "the header is that of '\(header.identity.key)'")
        }
        guard header.mode == mode else {
            throw CodecError(.notAuthentic, codec: name, detail: "the header says \(header.mode.name)")
        }
    }

    /// Opens the object of a header with the key that it names.
    func open(_ header: AESObjectHeader) throws(CodecError) -> AESObject {
        guard let key = keys.key(header.keyID) else {
            throw CodecError(.keyMissing, codec: name, detail: "key '\(header.keyID)'")
        }
        return AESObject(secrets: try AESObjectSecrets(header: header, ringKey: key))
    }
}
