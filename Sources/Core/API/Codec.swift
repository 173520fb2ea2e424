/// A reversible transform of bytes: a compression or an encryption. Codecs are chained, compression first.
///
/// An object is encoded frame by frame. Frames are independent, so several workers encode or decode frames of one object at
/// once, and a reader decodes only the frames it needs. Chained codecs see the same frames.
///
/// Laws, checked by `CodecConformance` under these names:
/// - `round-trip`: decoding gives back what was encoded, for every size from 0 to the frame limit.
/// - `output-is-bounded`: an encoder writes at most `maximumEncodedByteCount(forPlain:)`; a decoder writes at most the room
///   it was given, and a frame that would need more is `.tooLarge`: a bomb cannot allocate.
/// - `truncation-is-found`: a frame or stream that was cut at any byte is `.truncated` or `.damaged`.
/// - `damage-is-found`: a frame with one bit flipped is an error or gives exactly the bytes that were encoded.
/// - `trailing-bytes-are-refused`: bytes behind the end of a frame are `.damaged`.
/// - `order-is-kept` (encryption): a frame at another index, from another object, or with another last-frame mark is
///   `.notAuthentic`.
public protocol Codec: Sendable {
    /// The name that is recorded in a backup and found in the registry, such as `zstd` or `aes-256-gcm`.
    var name: String { get }
    /// What is added to an object's name, such as `.zstd` or `.aes`.
    var suffix: String { get }
    /// What was chosen, for the record: `level` for compressions, `key` (the key's id) for encryptions.
    var parameters: [String: String] { get }
    /// Most bytes that a frame of `byteCount` plain bytes can become.
    func maximumEncodedByteCount(forPlain byteCount: Int) -> Int
    /// Begins a new object: makes its header and everything its frames share, such as a derived key.
    func beginObject(_ identity: ObjectIdentity) throws(CodecError) -> any ObjectCodec
    /// Reopens a stored object from the header at its start.
    /// - Parameter header: exactly the `header.count` bytes that `beginObject` gave when it was written.
    func openObject(_ identity: ObjectIdentity, header: [UInt8]) throws(CodecError) -> any ObjectCodec
    /// Makes a decoder for a whole object or a file made by the usual tool, from front to back.
    /// - Parameter identity: what the object must be; nil accepts what its own header says (for files outside a repository).
    func makeStreamDecoder(_ identity: ObjectIdentity?) throws(CodecError) -> any StreamDecoder
}

/// Names an object for encryption: its key is derived from these, so that objects cannot be swapped.
public struct ObjectIdentity: Sendable, Hashable {
    /// The repository's id; `file` for a file outside a repository.
    public let repository: String
    /// The object's key inside the repository.
    public let key: String
    /// The whole codec chain's recorded names, joined by `+`, such as `zstd+aes-256-gcm`.
    public let chain: String
    /// Plain bytes in each frame but the last.
    public let frameByteCount: Int

    /// Makes an identity.
    public init(repository: String, key: String, chain: String, frameByteCount: Int) {
        self.repository = repository
        self.key = key
        self.chain = chain
        self.frameByteCount = frameByteCount
    }
}

/// One object being encoded or decoded by one codec. Shared by all workers.
public protocol ObjectCodec: Sendable {
    /// The bytes at the very start of the object, before its first frame; empty for compressions.
    var header: [UInt8] { get }
    /// Makes one worker's encoder. Only that worker uses it.
    func makeEncoder() throws(CodecError) -> any FrameEncoder
    /// Makes one worker's decoder. Only that worker uses it.
    func makeDecoder() throws(CodecError) -> any FrameDecoder
}

/// Where a frame stands in its object.
public struct FramePosition: Sendable, Hashable {
    /// Counts the object's frames from 0.
    public let index: Int
    /// Whether no frame follows in this object.
    public let isLast: Bool

    /// Makes a position.
    public init(index: Int, isLast: Bool) {
        self.index = index
        self.isLast = isLast
    }
}

/// Encodes frames of one object, one at a time, in any order.
public protocol FrameEncoder: AnyObject {
    /// Appends the encoded frame to `output`.
    /// - Parameter output: has room for at least `maximumEncodedByteCount(forPlain: plain.byteCount)` bytes.
    func encode(_ plain: RawSpan, at position: FramePosition, into output: inout OutputRawSpan) throws(CodecError)
}

/// Decodes frames of one object, one at a time, in any order.
public protocol FrameDecoder: AnyObject {
    /// Appends the plain bytes of exactly one stored frame to `output`.
    /// - Throws: `.tooLarge` when the frame holds more than `output` has room for; what was appended then is of no use.
    func decode(_ stored: RawSpan, at position: FramePosition, into output: inout OutputRawSpan) throws(CodecError)
}

/// Decodes a stream from front to back with small buffers: whole objects, and files made by `gzip`, `zstd`, `lz4`, `bzip2`.
public protocol StreamDecoder: AnyObject {
    /// Takes bytes from the front of `input` and appends plain bytes to `output`. Either may be as short as one byte.
    func decode(_ input: RawSpan, into output: inout OutputRawSpan) throws(CodecError) -> StreamStep
    /// Says that no more input comes.
    /// - Throws: `.truncated` when the stream is not complete.
    func finish() throws(CodecError)
}

/// What one step of a stream decoder did.
public struct StreamStep: Sendable, Hashable {
    /// How many input bytes were taken.
    public let consumed: Int
    /// Whether more plain bytes wait that had no room; call again with the rest of the input and more room.
    public let hasMoreOutput: Bool

    /// Makes a step.
    public init(consumed: Int, hasMoreOutput: Bool) {
        self.consumed = consumed
        self.hasMoreOutput = hasMoreOutput
    }
}
