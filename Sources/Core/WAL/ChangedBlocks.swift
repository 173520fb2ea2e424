/// The blocks of one fork of a relation that changed. They count over all its files of 1 GiB.
package struct ChangedBlocks: Sendable, Hashable {
    /// Blocks in a chunk, of which each has its bit.
    package static let chunkBlockCount: UInt32 = 2048

    /// Blocks from here on are not those that were there before; nil when the fork was neither made anew nor cut.
    package private(set) var limit: UInt32?
    private var chunks: [UInt32: [UInt64]] = [:]

    init() {}

    mutating func mark(_ block: UInt32) {
        let bit = Int(block % Self.chunkBlockCount)
        chunks[block / Self.chunkBlockCount, default: Array(repeating: 0, count: Int(Self.chunkBlockCount) / 64)][
            bit / 64] |= 1 << UInt64(bit % 64)
    }

    mutating func cut(to limit: UInt32) {
        guard self.limit.map({ limit < $0 }) ?? true else { return }
        self.limit = limit
        // What changed beyond was cut off; what came there later is noted again.
        let (chunk, rest) = limit.quotientAndRemainder(dividingBy: Self.chunkBlockCount)
        chunks = chunks.filter { $0.key < chunk || $0.key == chunk && rest > 0 }
        for bit in rest..<Self.chunkBlockCount { chunks[chunk]?[Int(bit) / 64] &= ~(1 << UInt64(bit % 64)) }
    }

    /// Takes in what changed later.
    mutating func merge(_ later: ChangedBlocks) {
        if let limit = later.limit { cut(to: limit) }
        for (number, words) in later.chunks {
            guard var own = chunks[number] else {
                chunks[number] = words
                continue
            }
            for index in own.indices { own[index] |= words[index] }
            chunks[number] = own
        }
    }

    /// The numbers of the chunks in which blocks changed, ascending.
    package var chunkNumbers: [UInt32] { chunks.keys.sorted() }

    /// The bits of a chunk, a block's the lower the lower its number; empty where nothing changed.
    package func bits(inChunk number: UInt32) -> [UInt64] { chunks[number] ?? [] }

    /// The changed blocks in a range, as runs, ascending.
    package func runs(in range: Range<UInt32>) -> [BlockRun] {
        var runs: [BlockRun] = []
        guard !range.isEmpty else { return runs }
        for number in chunks.keys.filter({ chunk in
            chunk >= range.lowerBound / Self.chunkBlockCount && chunk <= (range.upperBound - 1) / Self.chunkBlockCount
        }).sorted() {
            guard let words = chunks[number] else { continue }
            for (index, word) in words.enumerated() where word != 0 {
                var rest = word
                while rest != 0 {
                    let bit = UInt32(rest.trailingZeroBitCount)
                    rest &= rest - 1
                    let block = number * Self.chunkBlockCount + UInt32(index) * 64 + bit
                    guard range.contains(block) else { continue }
                    if let last = runs.last, last.end == block {
                        runs[runs.count - 1].count += 1
                    } else {
                        runs.append(BlockRun(first: block, count: 1))
                    }
                }
            }
        }
        return runs
    }
}
