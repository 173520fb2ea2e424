internal import BackupAPI
internal import CZstd

/// Decompresses frames with one zstd context, each in one call.
@safe final class ZstdFrameDecoder: FrameDecoder {
    private let context: OpaquePointer

    /// Makes a context.
    init() throws(CodecError) {
        guard let context = unsafe ZSTD_createDCtx() else { throw CodecError(.failed, codec: ZstdCodec.name) }
        unsafe self.context = unsafe context
    }

    deinit {
        unsafe ZSTD_freeDCtx(context)
    }

    func decode(_ stored: RawSpan, at position: FramePosition, into output: inout OutputRawSpan) throws(CodecError) {
        // Sound: both buffers are used only inside their closures.
        try unsafe stored.withUnsafeBytes { (frame: UnsafeRawBufferPointer) throws(CodecError) in
            try unsafe output.withUnsafeMutableBytes {
                (buffer: UnsafeMutableRawBufferPointer, count: inout Int) throws(CodecError) in
                let room = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
                count += try unsafe decode(frame, into: room)
            }
        }
    }

    private func decode(
        _ frame: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer
    ) throws(CodecError) -> Int {
        let plainByteCount = try unsafe Self.plainByteCount(of: frame, room: room.count)
        let result = unsafe ZSTD_decompressDCtx(
            context, room.baseAddress, plainByteCount, frame.baseAddress, frame.count)
        try ZstdFault.check(result)
        return result
    }

    /// Reads the header of a frame that our encoder made, and checks that nothing stands behind the frame.
    private static func plainByteCount(of frame: UnsafeRawBufferPointer, room: Int) throws(CodecError) -> Int {
        guard frame.count > 4 else { throw CodecError(.truncated, codec: ZstdCodec.name) }
        let isFrame = unsafe frame.loadUnaligned(as: UInt32.self) == UInt32(ZSTD_MAGICNUMBER).littleEndian
        // Our encoder: checksum and single segment always, a dictionary never (RFC 8878, section 3.1.1.1.1).
        guard isFrame, unsafe frame[4] & 0b0011_1111 == 0b0010_0100 else {
            throw CodecError(.damaged, codec: ZstdCodec.name, detail: "frame header")
        }
        let stored = unsafe ZSTD_findFrameCompressedSize(frame.baseAddress, frame.count)
        try ZstdFault.check(stored)
        guard stored == frame.count else {
            throw CodecError(
                .damaged, codec: ZstdCodec.name, detail: "\(frame.count - stored) bytes behind the end of the frame")
        }
        // A single segment always has its content size; the library's two error values are greater than any size.
        let plain = unsafe ZSTD_getFrameContentSize(frame.baseAddress, frame.count)
        guard plain <= UInt64(room) else { throw CodecError(.tooLarge, codec: ZstdCodec.name) }
        return Int(plain)
    }
}
