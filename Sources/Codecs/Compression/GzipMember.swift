internal import BackupAPI
internal import CZlib

/// Decompresses a gzip member with one zlib stream, which is reset for each.
@safe final class GzipMember: MemberDecoder {
    static var codec: String { GzipCodec.name }

    /// On the heap: zlib keeps its address.
    private let stream: UnsafeMutablePointer<z_stream>

    /// Makes a stream.
    init() throws(CodecError) {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        let code = unsafe inflateInit2_(
            stream, GzipCodec.windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard code == Z_OK else {
            let error = unsafe GzipCodec.error(.failed, stream)
            unsafe stream.deallocate()
            throw error
        }
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// zlib writes no flags and no time, and says 0, 2 or 4 for the level and 3 for Unix (RFC 1952, section 2.3.1).
    static func checkHeader(of frame: UnsafeRawBufferPointer, room: Int) throws(CodecError) {
        guard frame.count >= 18 else { throw CodecError(.truncated, codec: codec) }
        let isOurs =
            unsafe frame.starts(with: [0x1F, 0x8B, 8, 0, 0, 0, 0, 0] as [UInt8])
            && [0, 2, 4].contains(frame[8]) && frame[9] == 3
        guard isOurs else { throw CodecError(.damaged, codec: codec, detail: "frame header") }
    }

    func restart() throws(CodecError) {
        guard unsafe inflateReset(stream) == Z_OK else { throw unsafe GzipCodec.error(.failed, stream) }
    }

    func step(
        _ input: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer
    ) throws(CodecError) -> MemberStep {
        // zlib wants an address even for no room.
        var spare: UInt8 = 0
        return try unsafe withUnsafeMutablePointer(to: &spare) {
            (spare: UnsafeMutablePointer<UInt8>) throws(CodecError) in
            let source = unsafe input.assumingMemoryBound(to: UInt8.self)
            let sink = unsafe room.assumingMemoryBound(to: UInt8.self)
            let given = (input: UInt32(clamping: source.count), room: UInt32(clamping: sink.count))
            unsafe stream.pointee.next_in = unsafe UnsafeMutablePointer(mutating: source.baseAddress)
            unsafe stream.pointee.avail_in = given.input
            unsafe stream.pointee.next_out = unsafe sink.baseAddress ?? spare
            unsafe stream.pointee.avail_out = given.room
            let code = unsafe inflate(stream, Z_NO_FLUSH)
            try check(code)
            return unsafe MemberStep(
                consumed: Int(given.input - stream.pointee.avail_in),
                produced: Int(given.room - stream.pointee.avail_out), isComplete: code == Z_STREAM_END)
        }
    }

    /// `Z_BUF_ERROR` means that nothing could be done with these buffers, which the caller sees in the step.
    private func check(_ code: Int32) throws(CodecError) {
        switch code {
        case Z_OK, Z_STREAM_END, Z_BUF_ERROR: return
        case Z_DATA_ERROR where unsafe stream.pointee.total_in <= 2:
            throw unsafe GzipCodec.error(.notThisFormat, stream)
        case Z_DATA_ERROR, Z_NEED_DICT: throw unsafe GzipCodec.error(.damaged, stream)
        default: throw unsafe GzipCodec.error(.failed, stream)
        }
    }
}
