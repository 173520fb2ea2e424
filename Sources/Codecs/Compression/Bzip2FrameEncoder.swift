internal import BackupAPI
internal import CBZip2

/// Compresses frames with libbz2, which cannot reuse its memory between streams; next to its work that is nothing.
final class Bzip2FrameEncoder: FrameEncoder {
    private let level: Int32

    /// Makes an encoder for `level`.
    init(level: Int) {
        self.level = Int32(level)
    }

    func encode(_ plain: RawSpan, at position: FramePosition, into output: inout OutputRawSpan) throws(CodecError) {
        guard plain.byteCount <= Int(UInt32.max) else { throw CodecError(.tooLarge, codec: Bzip2Codec.name) }
        // libbz2 wants an address even for no bytes.
        var spare: CChar = 0
        // Sound: libbz2 gets the pointers for one call; the source is only read.
        let code = unsafe plain.withUnsafeBytes { (source: UnsafeRawBufferPointer) in
            unsafe output.withUnsafeMutableBytes { (buffer: UnsafeMutableRawBufferPointer, count: inout Int) in
                unsafe withUnsafeMutablePointer(to: &spare) { (spare: UnsafeMutablePointer<CChar>) in
                    let room = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
                    let input = unsafe source.assumingMemoryBound(to: CChar.self).baseAddress
                    var written = UInt32(clamping: room.count)
                    let code = unsafe BZ2_bzBuffToBuffCompress(
                        room.assumingMemoryBound(to: CChar.self).baseAddress, &written,
                        input.map { unsafe UnsafeMutablePointer(mutating: $0) } ?? spare, UInt32(source.count),
                        level, 0, 0)
                    if code == BZ_OK { count += Int(written) }
                    return code
                }
            }
        }
        guard code == BZ_OK else {
            throw CodecError(.failed, codec: Bzip2Codec.name, detail: "libbz2 code \(code)")
        }
    }
}
