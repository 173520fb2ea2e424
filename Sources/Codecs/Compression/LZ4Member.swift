internal import BackupAPI
internal import CLZ4

/// Decompresses one lz4 frame after the other, skippable ones too.
@safe final class LZ4Member: MemberDecoder {
    static var codec: String { LZ4Codec.name }

    private let context: OpaquePointer

    /// Makes a context.
    init() throws(CodecError) {
        var context: OpaquePointer?
        let code = unsafe LZ4F_createDecompressionContext(&context, UInt32(LZ4F_VERSION))
        guard LZ4F_isError(code) == 0, let context = unsafe context else {
            throw CodecError(.failed, codec: Self.codec)
        }
        unsafe self.context = unsafe context
    }

    deinit {
        unsafe LZ4F_freeDecompressionContext(context)
    }

    /// Our frames have independent blocks and both checksums, and a content size unless they are empty
    /// (LZ4 frame format, "Frame Descriptor").
    static func checkHeader(of frame: UnsafeRawBufferPointer, room: Int) throws(CodecError) {
        guard frame.count >= 15 else { throw CodecError(.truncated, codec: codec) }
        let isEmpty = frame.count == 15
        let isOurs =
            unsafe frame.starts(with: [0x04, 0x22, 0x4D, 0x18, isEmpty ? 0x74 : 0x7C] as [UInt8])
            && [0x40, 0x50, 0x60, 0x70].contains(unsafe frame[5])
        guard isOurs else { throw CodecError(.damaged, codec: codec, detail: "frame header") }
        guard !isEmpty else { return }
        let plain = unsafe UInt64(littleEndian: frame.loadUnaligned(fromByteOffset: 6, as: UInt64.self))
        guard plain <= UInt64(room) else { throw CodecError(.tooLarge, codec: codec) }
    }

    func restart() {
        unsafe LZ4F_resetDecompressionContext(context)
    }

    func step(
        _ input: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer
    ) throws(CodecError) -> MemberStep {
        var consumed = input.count
        var produced = room.count
        var options = LZ4F_decompressOptions_t()
        // Returns 0 when a frame is complete.
        let result = unsafe LZ4F_decompress(
            context, room.baseAddress, &produced, input.baseAddress, &consumed, &options)
        try LZ4Codec.check(result, .damaged)
        return MemberStep(consumed: consumed, produced: produced, isComplete: result == 0)
    }
}
