internal import BackupAPI
internal import CLZ4

/// Compresses frames with one lz4 context.
@safe final class LZ4FrameEncoder: FrameEncoder {
    private let level: Int
    private let context: OpaquePointer

    /// Makes a context; `level` is given to it with each frame.
    init(level: Int) throws(CodecError) {
        var context: OpaquePointer?
        let code = unsafe LZ4F_createCompressionContext(&context, UInt32(LZ4F_VERSION))
        guard LZ4F_isError(code) == 0, let context = unsafe context else {
            throw CodecError(.failed, codec: LZ4Codec.name)
        }
        unsafe self.context = unsafe context
        self.level = level
    }

    deinit {
        unsafe LZ4F_freeCompressionContext(context)
    }

    func encode(_ plain: RawSpan, at position: FramePosition, into output: inout OutputRawSpan) throws(CodecError) {
        // Sound: both buffers are used only inside their closures.
        try unsafe plain.withUnsafeBytes { (source: UnsafeRawBufferPointer) throws(CodecError) in
            try unsafe output.withUnsafeMutableBytes {
                (buffer: UnsafeMutableRawBufferPointer, count: inout Int) throws(CodecError) in
                let room = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
                count += try unsafe encode(source, into: room)
            }
        }
    }

    private func encode(
        _ source: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer
    ) throws(CodecError) -> Int {
        var preferences = LZ4Codec.preferences(level: level, plainByteCount: source.count)
        var options = LZ4F_compressOptions_t()
        options.stableSrc = 1
        var written = unsafe LZ4F_compressBegin(context, room.baseAddress, room.count, &preferences)
        try LZ4Codec.check(written, .failed)
        if source.count > 0 {
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: room[written...])
            let blocks = unsafe LZ4F_compressUpdate(
                context, rest.baseAddress, rest.count, source.baseAddress, source.count, &options)
            try LZ4Codec.check(blocks, .failed)
            written += blocks
        }
        let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: room[written...])
        let end = unsafe LZ4F_compressEnd(context, rest.baseAddress, rest.count, &options)
        try LZ4Codec.check(end, .failed)
        return written + end
    }
}
