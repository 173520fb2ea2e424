/// What stands at the front of a file `INCREMENTAL.*`: which blocks of the relation file follow, and how much of the parent's
/// file still counts.
///
/// The layout is that of PostgreSQL 17 and 18: little-endian 32-bit numbers for magic, count of blocks and truncation length,
/// the block numbers in ascending order, and, when there are blocks, zeros up to a multiple of the block size.
package struct IncrementalHeader: Sendable, Hashable {
    /// The bytes of a block: PostgreSQL's standard `BLCKSZ`.
    package static let blockByteCount = 8192
    /// Blocks in a file of 1 GiB, PostgreSQL's standard segment of a relation.
    package static let mostBlocks: UInt32 = 131_072
    static let magic: UInt32 = 0xd3ae_1f0d
    /// The beginning of such a file's name.
    package static let namePrefix = "INCREMENTAL."

    /// Blocks from here on do not come from the parent: they are in this file, or they are zero.
    package let truncationBlockCount: UInt32
    /// The blocks of this file, ascending, in the order in which they follow the header.
    package let runs: [BlockRun]
    /// For each run, how many blocks of this file stand before it.
    private let ordinals: [UInt32]

    /// Makes a header.
    /// - Parameter runs: ascending, with a gap between any two.
    /// - Returns: nil when the runs are not in order or leave the segment.
    package init?(truncationBlockCount: UInt32, runs: [BlockRun]) {
        guard truncationBlockCount <= Self.mostBlocks else { return nil }
        var ordinals: [UInt32] = []
        ordinals.reserveCapacity(runs.count)
        var count: UInt32 = 0
        var end: UInt32?
        for run in runs {
            guard run.count > 0, run.first <= Self.mostBlocks, run.count <= Self.mostBlocks - run.first,
                end.map({ run.first > $0 }) ?? true
            else { return nil }
            ordinals.append(count)
            count += run.count
            end = run.end
        }
        self.truncationBlockCount = truncationBlockCount
        self.runs = runs
        self.ordinals = ordinals
        blockCount = count
    }

    /// How many blocks follow the header.
    package let blockCount: UInt32

    /// Bytes of the header with its padding: the offset of the first block.
    package var byteCount: Int {
        let bare = 12 + 4 * Int(blockCount)
        let size = Self.blockByteCount
        return blockCount == 0 ? bare : (bare + size - 1) / size * size
    }

    /// Bytes of the whole file.
    package var fileByteCount: Int { byteCount + Int(blockCount) * Self.blockByteCount }

    /// Blocks of the relation file that this file and its parents make.
    package var restoredBlockCount: UInt32 { max(truncationBlockCount, runs.last?.end ?? 0) }

    /// Bytes of the relation file that this file and its parents make.
    package var restoredByteCount: Int { Int(restoredBlockCount) * Self.blockByteCount }

    /// The bytes of the header, with its padding.
    package func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(byteCount)
        func append(_ number: UInt32) {
            for shift in stride(from: 0, to: 32, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: number >> UInt32(shift)))
            }
        }
        for number in [Self.magic, blockCount, truncationBlockCount] { append(number) }
        for run in runs { for block in run.first..<run.end { append(block) } }
        return bytes + [UInt8](repeating: 0, count: byteCount - bytes.count)
    }

    /// The offset in this file of a run's first block.
    package func offset(ofRun index: Int) -> Int { byteCount + Int(ordinals[index]) * Self.blockByteCount }

    /// The number in the relation file of the block that stands at `ordinal` in this file.
    package func block(at ordinal: UInt32) -> UInt32? {
        guard ordinal < blockCount else { return nil }
        var low = 0
        var high = ordinals.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if ordinals[middle] <= ordinal { low = middle } else { high = middle }
        }
        return runs[low].first + ordinal - ordinals[low]
    }
}
