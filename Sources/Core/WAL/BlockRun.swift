/// Neighbouring blocks of one relation file. Blocks have 8 KiB and count from 0 in each file.
package struct BlockRun: Sendable, Hashable {
    /// The first block.
    package var first: UInt32
    /// How many there are; at least one.
    package var count: UInt32

    /// Makes a run.
    package init(first: UInt32, count: UInt32) {
        self.first = first
        self.count = count
    }

    /// The block behind the last one.
    package var end: UInt32 { first + count }
}
