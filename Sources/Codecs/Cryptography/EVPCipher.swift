internal import BackupAPI
internal import COpenSSL

/// One cipher with one key in one direction, used for one message after the other (EVP_EncryptInit(3)).
@safe final class EVPCipher {
    /// What the cipher does with its messages.
    enum Direction {
        case encrypt, decrypt
    }

    private let codec: String
    private let context: OpaquePointer

    /// Makes a context for `cipher`, one of OpenSSL's `EVP_aes_…()`.
    /// - Parameter key: exactly as long as the cipher's key.
    init(_ cipher: OpaquePointer?, key: Secret, _ direction: Direction, codec: String) throws(CodecError) {
        self.codec = codec
        guard let context = unsafe EVP_CIPHER_CTX_new() else { throw OpenSSLFault.take(codec) }
        unsafe self.context = unsafe context
        let isReady =
            unsafe EVP_CipherInit_ex(context, cipher, nil, nil, nil, direction == .encrypt ? 1 : 0) == 1
            && EVP_CIPHER_CTX_get_key_length(context) == Int32(key.reveal().count)
            && EVP_CipherInit_ex(context, nil, nil, key.reveal(), nil, -1) == 1
        guard isReady else { throw OpenSSLFault.take(codec) }
    }

    deinit {
        // Also wipes the key.
        unsafe EVP_CIPHER_CTX_free(context)
    }

    /// Begins a message.
    /// - Parameter initialization: the nonce or initialization vector, as long as the cipher wants; empty for ECB.
    func begin(_ initialization: [UInt8]) throws(CodecError) {
        try check(unsafe EVP_CipherInit_ex(context, nil, nil, nil, initialization, -1))
    }

    /// Takes bytes that are authenticated but not encrypted; only for GCM, before `update`.
    func associate(_ bytes: [UInt8]) throws(CodecError) {
        guard !bytes.isEmpty else { return }
        var count: Int32 = 0
        try check(unsafe EVP_CipherUpdate(context, nil, &count, bytes, Int32(bytes.count)))
    }

    /// Transforms bytes of the message and gives the number of bytes written.
    /// - Parameter room: at least as long as `input`, and for CBC the rest of a block longer.
    func update(
        _ input: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer
    ) throws(CodecError) -> Int {
        // Without bytes, the null pointers of empty buffers would mean something else.
        guard input.count > 0 else { return 0 }
        var count: Int32 = 0
        try check(
            unsafe EVP_CipherUpdate(
                context, room.assumingMemoryBound(to: UInt8.self).baseAddress, &count,
                input.assumingMemoryBound(to: UInt8.self).baseAddress, Int32(input.count)))
        return Int(count)
    }

    /// Transforms a few bytes of the message.
    func update(_ input: [UInt8]) throws(CodecError) -> [UInt8] {
        guard !input.isEmpty else { return [] }
        var output = [UInt8](repeating: 0, count: input.count + Int(EVP_MAX_BLOCK_LENGTH))
        var count: Int32 = 0
        try check(unsafe EVP_CipherUpdate(context, &output, &count, input, Int32(input.count)))
        return Array(output.prefix(Int(count)))
    }

    /// Ends the message and gives its last bytes, at most one block.
    /// - Returns: nil when GCM's tag or CBC's padding does not fit.
    func finish() -> [UInt8]? {
        var block = [UInt8](repeating: 0, count: Int(EVP_MAX_BLOCK_LENGTH))
        var count: Int32 = 0
        guard unsafe EVP_CipherFinal_ex(context, &block, &count) == 1 else {
            ERR_clear_error()
            return nil
        }
        return Array(block.prefix(Int(count)))
    }

    /// GCM's tag of 16 bytes, after `finish`.
    func tag() throws(CodecError) -> [UInt8] {
        var tag = [UInt8](repeating: 0, count: 16)
        try check(unsafe EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, &tag))
        return tag
    }

    /// Says which tag `finish` has to find.
    /// - Parameter tag: exactly 16 bytes.
    func expectTag(_ tag: [UInt8]) throws(CodecError) {
        var tag = tag
        try check(unsafe EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(tag.count), &tag))
    }

    private func check(_ code: Int32) throws(CodecError) {
        guard code == 1 else { throw OpenSSLFault.take(codec) }
    }
}
