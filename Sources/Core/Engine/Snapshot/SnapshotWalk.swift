/// Takes the contents of a snapshot. Pieces come from several workers at once, each once, in any order.
package protocol SnapshotSink: Sendable {
    /// A run of bytes of `snapshot.files[file]` from `offset` on. The memory is on loan.
    func piece(_ bytes: UnsafeRawBufferPointer, file: Int, offset: Int) throws
    /// All pieces of a file have come, and where a checksum was recorded the content is what it says. Bytes of which no piece
    /// came are zero.
    /// - Parameter checksum: CRC-32C of the content.
    func proven(file: Int, checksum: UInt32) throws
}

/// Walks a snapshot: every byte is fetched, decoded, checked and handed to the sink. Restore and verify differ in the sink only.
package struct SnapshotWalk: Sendable {
    private let frames: FrameWalk

    package init(frames: FrameWalk) { self.frames = frames }

    /// Walks all parts.
    /// - Parameter damaged: called for each damage found; when it returns, the walk goes on and finds the rest.
    package func run(
        _ snapshot: Snapshot, into sink: some SnapshotSink,
        damaged: @escaping @Sendable (EngineError) throws -> Void
    ) async throws {
        let checks = FileChecks(
            snapshot: snapshot, damaged: damaged, proven: { try sink.proven(file: $0, checksum: $1) })
        try checks.judgeEmptyFiles()
        for (index, file) in snapshot.files.enumerated() {
            guard let literal = file.literal, !literal.isEmpty else { continue }
            try unsafe literal.withUnsafeBytes {
                try unsafe sink.piece($0, file: index, offset: 0)
                try unsafe checks.note($0, file: index, offset: 0)
            }
        }
        let parts = try snapshot.parts.map { part in
            let plan = try ArchivePlan(record: part.record, archive: part.archive)
            let isWhole = part.record.label == snapshot.record.label && !snapshot.isPartial
            return FrameWalk.Part(
                plan: plan,
                wanted: isWhole ? Array(0..<part.archive.frames.count) : SnapshotWalk.frames(of: part, plan: plan))
        }
        try await frames.walk(parts) { index, number, plain in
            let part = snapshot.parts[index]
            let start = number * part.record.frames.frameByteCount
            try unsafe plain.withUnsafeFilledBytes { bytes in
                try SnapshotWalk.pieces(of: part.extents, in: start..<start + bytes.count) { extent, range in
                    let piece = unsafe UnsafeRawBufferPointer(
                        rebasing: bytes[range.lowerBound - start..<range.upperBound - start])
                    let offset = extent.offset + range.lowerBound - extent.source
                    try unsafe sink.piece(piece, file: extent.file, offset: offset)
                    try unsafe checks.note(piece, file: extent.file, offset: offset)
                }
            }
        } damaged: {
            try damaged($0)
        }
    }

    /// The numbers of the frames that hold any extent, ascending.
    private static func frames(of part: Snapshot.Part, plan: ArchivePlan) -> [Int] {
        var numbers: [Int] = []
        for extent in part.extents {
            for number in plan.frames(holding: extent.source..<extent.source + extent.byteCount)
            where numbers.last.map({ $0 < number }) ?? true {
                numbers.append(number)
            }
        }
        return numbers
    }

    /// Finds the pieces of ascending `extents` that lie in `range` of the archive.
    private static func pieces(
        of extents: [Snapshot.Extent], in range: Range<Int>, _ body: (Snapshot.Extent, Range<Int>) throws -> Void
    ) rethrows {
        var low = 0
        var high = extents.count
        while low < high {
            let middle = (low + high) / 2
            if extents[middle].source + extents[middle].byteCount <= range.lowerBound {
                low = middle + 1
            } else {
                high = middle
            }
        }
        for extent in extents[low...] {
            if extent.source >= range.upperBound { return }
            let piece = max(range.lowerBound, extent.source)..<min(range.upperBound, extent.source + extent.byteCount)
            try body(extent, piece)
        }
    }
}
