internal import BackupAPI
internal import CZstd

/// Translates zstd's result codes.
enum ZstdFault {
    /// Throws when `result` is an error code of zstd.
    static func check(_ result: Int) throws(CodecError) {
        guard ZSTD_isError(result) != 0 else { return }
        throw CodecError(
            reason(of: ZSTD_getErrorCode(result)), codec: ZstdCodec.name,
            detail: unsafe String(cString: ZSTD_getErrorName(result)))
    }

    private static func reason(of code: ZSTD_ErrorCode) -> CodecError.Reason {
        switch code {
        case ZSTD_error_prefix_unknown: .notThisFormat
        case ZSTD_error_srcSize_wrong: .truncated
        case ZSTD_error_dstSize_tooSmall, ZSTD_error_frameParameter_windowTooLarge: .tooLarge
        case ZSTD_error_memory_allocation, ZSTD_error_GENERIC: .failed
        case ZSTD_error_parameter_unsupported, ZSTD_error_parameter_outOfBound: .misconfigured
        default: .damaged
        }
    }
}
