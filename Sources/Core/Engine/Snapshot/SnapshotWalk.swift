import CEngine
import Synchronization

/// Takes the contents of a snapshot. Pieces come from several workers at once, each once, in any order.
package protocol SnapshotSink: Sendable {
    /// A run of bytes of `snapshot.files[file]` from `offset` on. The memory is on loan.
    func piece(_ bytes: UnsafeRawBufferPointer, file: Int, offset: Int) throws
    /// A file's content was proven whole; only for files with a recorded checksum.
    func proven(file: Int) throws
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
        let checks = FileChecks(snapshot: snapshot, damaged: damaged, proven: { try sink.proven(file: $0) })
        for part in snapshot.parts {
            let plan = try ArchivePlan(record: part.record, archive: part.archive)
            let isWhole = part.record.label == snapshot.record.label
            let wanted = isWhole ? Array(0..<part.archive.frames.count) : SnapshotWalk.frames(of: part, plan: plan)
            let frameByteCount = part.record.frames.frameByteCount
            try await frames.walk(record: part.record, archive: part.archive, wanted: wanted) { number, plain in
                let start = number * frameByteCount
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

/// Proves each file's content by its recorded CRC-32C, whatever the order its pieces come in: checksums of neighbouring pieces
/// can be combined.
private final class FileChecks: Sendable {
    private struct Piece {
        var offset: Int
        var byteCount: Int
        var checksum: UInt32
    }

    private let snapshot: Snapshot
    private let damaged: @Sendable (EngineError) throws -> Void
    private let proven: @Sendable (Int) throws -> Void
    private let partial = Mutex<[Int: [Piece]]>([:])

    init(
        snapshot: Snapshot, damaged: @escaping @Sendable (EngineError) throws -> Void,
        proven: @escaping @Sendable (Int) throws -> Void
    ) {
        self.snapshot = snapshot
        self.damaged = damaged
        self.proven = proven
    }

    func note(_ bytes: UnsafeRawBufferPointer, file: Int, offset: Int) throws {
        guard let expected = snapshot.files[file].checksum else { return }
        let checksum = unsafe pgm_crc32c(0, bytes.baseAddress, bytes.count)
        let whole = snapshot.files[file].byteCount
        if bytes.count == whole { return try judge(checksum, expected, file: file) }
        let pieces: [Piece]? = partial.withLock { partial in
            partial[file, default: []].append(Piece(offset: offset, byteCount: bytes.count, checksum: checksum))
            guard let all = partial[file], all.reduce(0, { $0 + $1.byteCount }) == whole else { return nil }
            return partial.removeValue(forKey: file)
        }
        guard let pieces else { return }
        let combined = pieces.sorted { $0.offset < $1.offset }.reduce(UInt32(0)) {
            pgm_crc32c_combine($0, $1.checksum, UInt64($1.byteCount))
        }
        try judge(combined, expected, file: file)
    }

    private func judge(_ checksum: UInt32, _ expected: UInt32, file: Int) throws {
        guard checksum == expected else {
            let path = snapshot.files[file].path
            return try damaged(EngineError(.memberDamaged, "'\(path)' of \(snapshot.record.label)"))
        }
        try proven(file)
    }
}
