internal import BackupAPI
internal import CBZip2

/// Decompresses one bzip2 stream after the other.
@safe final class Bzip2Member: MemberDecoder {
    static var codec: String { Bzip2Codec.name }

    /// On the heap: libbz2 keeps its address.
    private let stream: UnsafeMutablePointer<bz_stream>

    /// Makes a stream.
    init() throws(CodecError) {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: bz_stream())
    }

    deinit {
        // Does nothing but return an error when no stream is open.
        _ = unsafe BZ2_bzDecompressEnd(stream)
        unsafe stream.deallocate()
    }

    static func checkHeader(of frame: UnsafeRawBufferPointer, room: Int) throws(CodecError) {
        guard frame.count >= 14 else { throw CodecError(.truncated, codec: codec) }
        guard unsafe frame.starts(with: "BZh".utf8), (0x31...0x39).contains(unsafe frame[3]) else {
            throw CodecError(.damaged, codec: codec, detail: "frame header")
        }
    }

    func restart() throws(CodecError) {
        _ = unsafe BZ2_bzDecompressEnd(stream)
        unsafe stream.pointee = bz_stream()
        guard unsafe BZ2_bzDecompressInit(stream, 0, 0) == BZ_OK else { throw CodecError(.failed, codec: Self.codec) }
    }

    func step(
        _ input: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer
    ) throws(CodecError) -> MemberStep {
        let source = unsafe input.assumingMemoryBound(to: CChar.self)
        let sink = unsafe room.assumingMemoryBound(to: CChar.self)
        let given = (input: UInt32(clamping: source.count), room: UInt32(clamping: sink.count))
        unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: source.baseAddress)
        unsafe stream.pointee.avail_in = given.input
        unsafe stream.pointee.next_out = sink.baseAddress
        unsafe stream.pointee.avail_out = given.room
        let code = unsafe BZ2_bzDecompress(stream)
        try check(code)
        return unsafe MemberStep(
            consumed: Int(given.input - stream.pointee.avail_in),
            produced: Int(given.room - stream.pointee.avail_out), isComplete: code == BZ_STREAM_END)
    }

    private func check(_ code: Int32) throws(CodecError) {
        switch code {
        case BZ_OK, BZ_STREAM_END: return
        case BZ_DATA_ERROR_MAGIC: throw CodecError(.notThisFormat, codec: Self.codec)
        case BZ_DATA_ERROR: throw CodecError(.damaged, codec: Self.codec)
        default: throw CodecError(.failed, codec: Self.codec, detail: "libbz2 code \(code)")
        }
    }
}
