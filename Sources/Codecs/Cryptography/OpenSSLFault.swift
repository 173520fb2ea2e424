internal import BackupAPI
internal import COpenSSL

/// Turns OpenSSL's error queue into one error.
enum OpenSSLFault {
    /// The newest reason in this thread's error queue as an error of reason `.failed`; empties the queue.
    static func take(_ codec: String) -> CodecError {
        let number = ERR_peek_last_error()
        ERR_clear_error()
        let words = unsafe ERR_reason_error_string(number).map { unsafe String(cString: $0) }
        return CodecError(.failed, codec: codec, detail: words)
    }
}
