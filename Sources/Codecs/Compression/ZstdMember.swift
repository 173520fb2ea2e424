internal import BackupAPI
internal import CZstd

/// Decompresses a stream of zstd frames, skippable ones too. Its window is at most 128 MiB, the library's own limit.
@safe final class ZstdMember: MemberDecoder {
    static var codec: String { ZstdCodec.name }

    private let context: OpaquePointer

    /// Makes a context.
    init() throws(CodecError) {
        guard let context = unsafe ZSTD_createDCtx() else { throw CodecError(.failed, codec: Self.codec) }
        unsafe self.context = unsafe context
    }

    deinit {
        unsafe ZSTD_freeDCtx(context)
    }

    static func checkHeader(of frame: UnsafeRawBufferPointer, room: Int) {}

    func restart() throws(CodecError) {
        try ZstdFault.check(unsafe ZSTD_DCtx_reset(context, ZSTD_reset_session_only))
    }

    func step(
        _ input: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer
    ) throws(CodecError) -> MemberStep {
        var source = unsafe ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
        var sink = unsafe ZSTD_outBuffer(dst: room.baseAddress, size: room.count, pos: 0)
        // Returns 0 when a frame is complete and all of it was written.
        let result = unsafe ZSTD_decompressStream(context, &sink, &source)
        try ZstdFault.check(result)
        return unsafe MemberStep(consumed: source.pos, produced: sink.pos, isComplete: result == 0)
    }
}
