internal import BackupAPI
internal import CZstd

/// Compresses frames with one zstd context.
@safe final class ZstdFrameEncoder: FrameEncoder {
    private let context: OpaquePointer
    private var windowLog: Int32 = 0

    /// Makes a context for `level`.
    init(level: Int) throws(CodecError) {
        guard let context = unsafe ZSTD_createCCtx() else { throw CodecError(.failed, codec: ZstdCodec.name) }
        unsafe self.context = unsafe context
        try set(ZSTD_c_compressionLevel, Int32(level))
        try set(ZSTD_c_checksumFlag, 1)
        try set(ZSTD_c_contentSizeFlag, 1)
    }

    deinit {
        unsafe ZSTD_freeCCtx(context)
    }

    func encode(_ plain: RawSpan, at position: FramePosition, into output: inout OutputRawSpan) throws(CodecError) {
        try chooseWindow(for: plain.byteCount)
        // Sound: both buffers are used only inside their closures.
        let result = unsafe plain.withUnsafeBytes { (source: UnsafeRawBufferPointer) in
            unsafe output.withUnsafeMutableBytes { (buffer: UnsafeMutableRawBufferPointer, count: inout Int) in
                let room = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
                let result = unsafe ZSTD_compress2(
                    context, room.baseAddress, room.count, source.baseAddress, source.count)
                if ZSTD_isError(result) == 0 { count += result }
                return result
            }
        }
        try ZstdFault.check(result)
    }

    /// Makes the window as large as the frame, so that the frame is a single segment without a window field
    /// (RFC 8878, section 3.1.1.1.2). zstd does so by itself except for large frames at low levels.
    private func chooseWindow(for byteCount: Int) throws(CodecError) {
        let bits = Int32(Int.bitWidth - max(byteCount - 1, 0).leadingZeroBitCount)
        let wanted = min(max(bits, 10), 27)
        guard wanted != windowLog else { return }
        try set(ZSTD_c_windowLog, wanted)
        windowLog = wanted
    }

    private func set(_ parameter: ZSTD_cParameter, _ value: Int32) throws(CodecError) {
        try ZstdFault.check(unsafe ZSTD_CCtx_setParameter(context, parameter, value))
    }
}
