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

    /// The first offset behind the run; the greatest number where it would be beyond that.
    public var end: Int {
        let (sum, isTooGreat) = offset.addingReportingOverflow(count)
        return isTooGreat ? Int.max : sum
    }
}
