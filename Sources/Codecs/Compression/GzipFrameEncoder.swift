internal import BackupAPI
internal import CZlib

/// Compresses frames with one zlib stream, which is reset for each.
@safe final class GzipFrameEncoder: FrameEncoder {
    /// On the heap: zlib keeps its address.
    private let stream: UnsafeMutablePointer<z_stream>

    /// Makes a stream for `level`.
    init(level: Int) throws(CodecError) {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        let code = unsafe deflateInit2_(
            stream, Int32(level), Z_DEFLATED, GzipCodec.windowBits, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        guard code == Z_OK else {
            let error = unsafe GzipCodec.error(.failed, stream)
            unsafe stream.deallocate()
            throw error
        }
    }

    deinit {
        unsafe deflateEnd(stream)
        unsafe stream.deallocate()
    }

    func encode(_ plain: RawSpan, at position: FramePosition, into output: inout OutputRawSpan) throws(CodecError) {
        guard plain.byteCount <= Int(UInt32.max) else { throw CodecError(.tooLarge, codec: GzipCodec.name) }
        guard unsafe deflateReset(stream) == Z_OK else { throw unsafe GzipCodec.error(.failed, stream) }
        // Sound: zlib gets the pointers for one call; `Z_FINISH` with enough room needs no other.
        let code = unsafe plain.withUnsafeBytes { (source: UnsafeRawBufferPointer) in
            unsafe output.withUnsafeMutableBytes { (buffer: UnsafeMutableRawBufferPointer, count: inout Int) in
                let room = unsafe buffer[count...].count
                unsafe stream.pointee.next_in = unsafe UnsafeMutablePointer(
                    mutating: source.assumingMemoryBound(to: UInt8.self).baseAddress)
                unsafe stream.pointee.avail_in = UInt32(source.count)
                unsafe stream.pointee.next_out = unsafe buffer.assumingMemoryBound(to: UInt8.self).baseAddress.map {
                    unsafe $0 + count
                }
                unsafe stream.pointee.avail_out = UInt32(clamping: room)
                let code = unsafe deflate(stream, Z_FINISH)
                if code == Z_STREAM_END { count += unsafe Int(stream.pointee.total_out) }
                return code
            }
        }
        guard code == Z_STREAM_END else { throw unsafe GzipCodec.error(.failed, stream) }
    }
}
