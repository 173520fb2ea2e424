internal import BackupAPI

/// What all frames of one encrypted object share: its header and the keys that were derived for it alone.
struct AESObjectSecrets: Sendable {
    let header: AESObjectHeader
    /// The cipher's key.
    let encryptionKey: Secret
    /// The key of HMAC-SHA-256; empty for GCM.
    let authenticationKey: Secret

    /// Derives the keys: HKDF-SHA-256 of the ring's key with the header's salt, and as info the words
    /// `pgmoneta-object-1`, repository, object key and chain (each with 2 bytes of length), the mode (1 byte) and the frame
    /// size (4 bytes). The encryption key comes first, then the authentication key.
    /// - Throws: `.misconfigured` when the ring's key is not 32 bytes long.
    init(header: AESObjectHeader, ringKey: Secret) throws(CodecError) {
        let mode = header.mode
        guard ringKey.reveal().count == 32 else {
            throw CodecError(.misconfigured, codec: mode.name, detail: "the key '\(header.keyID)' is not 32 bytes long")
        }
        var info = Array("pgmoneta-object-1".utf8)
        info.append(counted: header.identity.repository)
        info.append(counted: header.identity.key)
        info.append(counted: header.identity.chain)
        info.append(mode.rawValue)
        info.append(littleEndian: UInt32(header.identity.frameByteCount))
        let keys = try EVPKeyDerivation.hkdf(
            ringKey, salt: header.salt, info: info,
            byteCount: mode.keyByteCount + mode.authenticationKeyByteCount, codec: mode.name
        ).reveal()
        self.header = header
        encryptionKey = Secret(Array(keys.prefix(mode.keyByteCount)))
        authenticationKey = Secret(Array(keys.dropFirst(mode.keyByteCount)))
    }

    /// Most plain bytes that a frame may have here: compressions before us may have made it longer than the frame size,
    /// by less than 1/32 and 4 KiB for those that we have.
    var maximumPlainByteCount: Int {
        let frame = header.identity.frameByteCount
        return frame + frame / 32 + 4096
    }

    /// Most bytes that a frame's length field may say.
    var maximumSealedByteCount: Int { header.mode.sealedByteCount(forPlain: maximumPlainByteCount) }

    /// Makes what encrypts or decrypts frames.
    func makeFrameCipher(_ direction: EVPCipher.Direction) throws(CodecError) -> any AESFrameCipher {
        switch header.mode.chaining {
        case .gcm: try GCMFrameCipher(self, direction)
        case .cbc, .ctr: try MACFrameCipher(self, direction)
        }
    }
}
