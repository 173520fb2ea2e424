internal import BackupAPI

/// Decodes one member of a compressed stream at a time: a gzip member, a zstd frame, an lz4 frame, a bzip2 stream.
///
/// It wraps a library's streaming interface; `MemberStreamDecoder` and `MemberFrameDecoder` are built on it.
protocol MemberDecoder: AnyObject {
    /// The codec's recorded name, for errors.
    static var codec: String { get }
    /// Checks the bytes at the front of a frame that our encoder always writes the same way.
    /// - Parameter room: how many plain bytes there is room for; a frame whose header promises more is `.tooLarge`.
    static func checkHeader(of frame: UnsafeRawBufferPointer, room: Int) throws(CodecError)
    /// Gets ready for the first byte of a member, whatever happened before.
    func restart() throws(CodecError)
    /// Takes bytes from the front of `input` and writes plain bytes to the front of `room`, as many as it can.
    /// - Throws: `.notThisFormat` when the member's first bytes are of another format.
    func step(_ input: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer) throws(CodecError)
        -> MemberStep
}

/// What one step of a member decoder did.
struct MemberStep {
    /// Input bytes taken.
    var consumed: Int
    /// Plain bytes written.
    var produced: Int
    /// Whether the member is complete, with its checksums checked.
    var isComplete: Bool
}
