/// Why a file `INCREMENTAL.*` cannot be understood.
package struct IncrementalHeaderError: Error, Sendable, Hashable, CustomStringConvertible {
    package let description: String

    /// Makes an error of these words.
    package init(description: String) { self.description = description }
}

/// Reads the header of a file `INCREMENTAL.*` as the file comes, in pieces of any length.
package struct IncrementalHeaderReader {
    private var numbers = 0
    private var pending: UInt32 = 0
    private var pendingByteCount: UInt32 = 0
    private var count: UInt32 = 0
    private var truncation: UInt32 = 0
    private var runs: [BlockRun] = []
    /// The header, as soon as all of it came.
    package private(set) var header: IncrementalHeader?

    /// Begins at the front of a file.
    package init() {}

    /// Takes the next bytes; those behind the block numbers are left alone.
    /// - Throws: `IncrementalHeaderError`.
    package mutating func consume(_ bytes: UnsafeRawBufferPointer) throws(IncrementalHeaderError) {
        guard header == nil else { return }
        for index in bytes.indices {
            pending |= UInt32(unsafe bytes[index]) << (8 * pendingByteCount)
            pendingByteCount += 1
            guard pendingByteCount == 4 else { continue }
            try take(pending)
            pending = 0
            pendingByteCount = 0
            if header != nil { return }
        }
    }

    private mutating func take(_ number: UInt32) throws(IncrementalHeaderError) {
        defer { numbers += 1 }
        switch numbers {
        case 0:
            guard number == IncrementalHeader.magic else { throw fault("it begins with \(number)") }
            return
        case 1:
            guard number <= IncrementalHeader.mostBlocks else { throw fault("it names \(number) blocks") }
            count = number
            return
        case 2: truncation = number
        default: try append(number)
        }
        guard numbers - 2 == Int(count) else { return }
        guard let whole = IncrementalHeader(truncationBlockCount: truncation, runs: runs) else {
            throw fault("its blocks are out of range")
        }
        header = whole
    }

    private mutating func append(_ block: UInt32) throws(IncrementalHeaderError) {
        guard block < IncrementalHeader.mostBlocks else { throw fault("it names block \(block)") }
        guard let last = runs.last else { return runs.append(BlockRun(first: block, count: 1)) }
        guard block >= last.end else { throw fault("its blocks are not in order") }
        if block == last.end {
            runs[runs.count - 1].count += 1
        } else {
            runs.append(BlockRun(first: block, count: 1))
        }
    }

    private func fault(_ words: String) -> IncrementalHeaderError {
        IncrementalHeaderError(description: "the header of an incremental file is malformed: \(words)")
    }
}
