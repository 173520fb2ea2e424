/// A run of bytes of an object: `offset` from its start, `count` bytes.
public struct ByteRange: Sendable, Hashable {
    /// Bytes before the run.
    public let offset: Int
    /// Bytes in the run; the object's end may cut it short.
    public let count: Int

    /// Makes a run; negative values count as zero.
    public init(offset: Int, count: Int) {
        self.offset = max(0, offset)
        self.count = max(0, count)
    }

    /// The first offset behind the run.
    public var end: Int { offset + count }
}
