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

    /// What is wanted of one archive.
    struct Part: Sendable {
        var plan: ArchivePlan
        /// Ascending by source.
        var extents: [Snapshot.Extent]
        /// Whether frames are read too that hold none of the extents, so that damage in them is found.
        var isWhole = false
    }

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
            try unsafe literal.withUnsafeBytes { try unsafe sink.piece($0, file: index, offset: 0) }
            try checks.noteLiteral(ofFile: index)
        }
        let parts = try snapshot.parts.map { part in
            Part(
                plan: try ArchivePlan(record: part.record, archive: part.archive), extents: part.extents,
                isWhole: part.record.label == snapshot.record.label && !snapshot.isPartial)
        }
        try await run(parts, into: sink, checks: checks, damaged: damaged)
    }

    /// Walks the extents of some parts; `checks` gathers what it has seen of each file, over as many calls as it takes.
    func run(
        _ parts: [Part], into sink: some SnapshotSink, checks: FileChecks,
        damaged: @escaping @Sendable (EngineError) throws -> Void
    ) async throws {
        let wanted = parts.map { part in
            FrameWalk.Part(
                plan: part.plan,
                wanted: part.isWhole
                    ? Array(0..<part.plan.archive.frames.count) : SnapshotWalk.frames(of: part.extents, plan: part.plan)
            )
        }
        try await frames.walk(wanted) { index, number, plain in
            let part = parts[index]
            let start = number * part.plan.record.frames.frameByteCount
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
    private static func frames(of extents: [Snapshot.Extent], plan: ArchivePlan) -> [Int] {
        var numbers: [Int] = []
        for extent in extents {
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
