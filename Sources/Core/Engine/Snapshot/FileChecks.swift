import CEngine
import Synchronization

/// Computes the CRC-32C of each file's content and compares it with the recorded one, whatever the order its pieces come in:
/// checksums of neighbouring pieces can be combined.
final class FileChecks: Sendable {
    private struct Piece {
        var offset: Int
        var byteCount: Int
        var checksum: UInt32
    }

    private struct Gathered {
        var pieces: [Piece] = []
        var byteCount = 0
    }

    private let snapshot: Snapshot
    /// How many bytes of each file come in pieces; the rest is zero.
    private let comingByteCounts: [Int]
    private let damaged: @Sendable (EngineError) throws -> Void
    private let proven: @Sendable (Int, UInt32) throws -> Void
    private let gathered = Mutex<[Int: Gathered]>([:])

    /// - Parameters:
    ///   - damaged: called for each file whose content is not what was recorded.
    ///   - proven: called once for each other file, with its CRC-32C.
    init(
        snapshot: Snapshot, damaged: @escaping @Sendable (EngineError) throws -> Void,
        proven: @escaping @Sendable (Int, UInt32) throws -> Void
    ) {
        self.snapshot = snapshot
        self.damaged = damaged
        self.proven = proven
        comingByteCounts = snapshot.comingByteCounts
    }

    /// Judges the files of which no piece will come: they are empty, or all zeros.
    func judgeEmptyFiles() throws {
        for (file, count) in comingByteCounts.enumerated() where count == 0 {
            try judge(Self.checksumOfZeros(snapshot.files[file].byteCount), file: file)
        }
    }

    /// Takes the content of a file that stands in no archive.
    func noteLiteral(ofFile file: Int) throws {
        guard let literal = snapshot.files[file].literal else { return }
        try unsafe literal.withUnsafeBytes { try unsafe note($0, file: file, offset: 0) }
    }

    /// Takes a piece of a file.
    func note(_ bytes: UnsafeRawBufferPointer, file: Int, offset: Int) throws {
        let checksum = unsafe pgm_crc32c(0, bytes.baseAddress, bytes.count)
        if bytes.count == snapshot.files[file].byteCount { return try judge(checksum, file: file) }
        let coming = comingByteCounts[file]
        let pieces: [Piece]? = gathered.withLock { gathered in
            gathered[file, default: Gathered()].pieces.append(
                Piece(offset: offset, byteCount: bytes.count, checksum: checksum))
            gathered[file]?.byteCount += bytes.count
            return gathered[file]?.byteCount == coming ? gathered.removeValue(forKey: file)?.pieces : nil
        }
        if let pieces { try judge(Self.combined(pieces, to: snapshot.files[file].byteCount), file: file) }
    }

    private func judge(_ checksum: UInt32, file: Int) throws {
        if let expected = snapshot.files[file].checksum, expected != checksum {
            let path = PathText.shown(snapshot.files[file].path)
            return try damaged(EngineError(.memberDamaged, "'\(path)' of \(snapshot.record.label)"))
        }
        try proven(file, checksum)
    }

    /// The checksum of a file of these pieces, with zeros between and behind them.
    private static func combined(_ pieces: [Piece], to byteCount: Int) -> UInt32 {
        var checksum: UInt32 = 0
        var end = 0
        func append(_ next: UInt32, _ count: Int) {
            checksum = pgm_crc32c_combine(checksum, next, UInt64(count))
            end += count
        }
        for piece in pieces.sorted(by: { $0.offset < $1.offset }) {
            if piece.offset > end { append(checksumOfZeros(piece.offset - end), piece.offset - end) }
            append(piece.checksum, piece.byteCount)
        }
        if byteCount > end { append(checksumOfZeros(byteCount - end), byteCount - end) }
        return checksum
    }

    /// CRC-32C of so many zeros: halves are combined, so that a gigabyte takes thirty steps.
    private static func checksumOfZeros(_ count: Int) -> UInt32 {
        guard count > 64 else {
            let zeros = [UInt8](repeating: 0, count: count)
            return unsafe zeros.withUnsafeBytes { unsafe pgm_crc32c(0, $0.baseAddress, $0.count) }
        }
        let half = checksumOfZeros(count / 2)
        let both = pgm_crc32c_combine(half, half, UInt64(count / 2))
        return count % 2 == 0 ? both : pgm_crc32c_combine(both, checksumOfZeros(1), 1)
    }
}
