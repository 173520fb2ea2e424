import CEngine
import Synchronization
import WALFormat

/// Checks PostgreSQL's page checksums of relation files while their bytes pass by.
///
/// A page that was being written while the base backup read it may be torn; recovery replaces it from WAL. Such a page carries
/// an LSN behind the backup's start, and is not counted, as PostgreSQL itself does it (documentation, "Data Checksums").
package final class PageChecks: SnapshotSink {
    private static let pageByteCount = 8192
    /// PostgreSQL cuts relations into files of 1 GiB.
    private static let pagesPerSegment: UInt32 = 131_072

    /// The halves of a page that lies on the border of two frames.
    private struct Halves {
        var bytes: [UInt8]
        var filled: Int
    }

    private let snapshot: Snapshot
    private let startLSN: UInt64
    private let damaged: @Sendable (EngineError) throws -> Void
    /// First block of each relation file; nil for files without pages.
    private let firstBlocks: [UInt32?]
    private let halves = Mutex<[Int: [Int: Halves]]>([:])

    /// - Parameter isActive: false when the cluster has no page checksums; nothing is checked then.
    package init(
        snapshot: Snapshot, startLSN: UInt64, isActive: Bool, damaged: @escaping @Sendable (EngineError) throws -> Void
    ) {
        self.snapshot = snapshot
        self.startLSN = startLSN
        self.damaged = damaged
        firstBlocks = snapshot.files.map { isActive ? PageChecks.firstBlock(of: $0) : nil }
    }

    package func proven(file: Int, checksum: UInt32) throws {}

    package func piece(_ bytes: UnsafeRawBufferPointer, file: Int, offset: Int) throws {
        guard let first = firstBlocks[file] else { return }
        let increment = snapshot.files[file].increment
        let size = PageChecks.pageByteCount
        var position = 0
        while position < bytes.count {
            let inPage = (offset + position) % size
            let page = (offset + position) / size
            let taken = min(size - inPage, bytes.count - position)
            let run = unsafe UnsafeRawBufferPointer(rebasing: bytes[position..<position + taken])
            position += taken
            guard let inFile = PageChecks.block(ofPage: page, increment) else { continue }
            if taken == size {
                try unsafe check(run, block: first + inFile, file: file)
            } else if let whole = unsafe joined(run, at: inPage, page: page, file: file) {
                try unsafe whole.withUnsafeBytes { try unsafe check($0, block: first + inFile, file: file) }
            }
        }
    }

    /// Which block of its relation file a page is: the page's own number, but in an incremental file what its header says; nil
    /// for the header itself.
    private static func block(ofPage page: Int, _ increment: IncrementalHeader?) -> UInt32? {
        guard let increment else { return UInt32(page) }
        let first = increment.byteCount / pageByteCount
        return page < first ? nil : increment.block(at: UInt32(page - first))
    }

    /// Keeps a part of a page until all of it is here. A file's last page may be short and is then not checked: PostgreSQL
    /// writes whole pages, so it is the remains of a write that recovery repeats.
    private func joined(_ run: UnsafeRawBufferPointer, at offset: Int, page: Int, file: Int) -> [UInt8]? {
        halves.withLock { halves in
            var half =
                halves[file]?[page] ?? Halves(bytes: [UInt8](repeating: 0, count: PageChecks.pageByteCount), filled: 0)
            unsafe half.bytes.replaceSubrange(offset..<offset + run.count, with: run)
            half.filled += run.count
            if half.filled == PageChecks.pageByteCount {
                halves[file]?[page] = nil
                return half.bytes
            }
            halves[file, default: [:]][page] = half
            return nil
        }
    }

    private func check(_ page: UnsafeRawBufferPointer, block: UInt32, file: Int) throws {
        guard let base = page.baseAddress else { return }
        // pd_upper is zero on a page that was never used (PostgreSQL documentation, "Database Page Layout").
        let upper = unsafe page.loadUnaligned(fromByteOffset: 14, as: UInt16.self)
        let stored = unsafe page.loadUnaligned(fromByteOffset: 8, as: UInt16.self)
        let computed = unsafe pgm_page_checksum(base, block)
        if upper == 0 || computed == stored { return }
        let high = unsafe page.loadUnaligned(fromByteOffset: 0, as: UInt32.self)
        let low = unsafe page.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
        if UInt64(high) << 32 | UInt64(low) >= startLSN { return }
        try damaged(
            EngineError(
                .memberDamaged,
                "block \(block) of '\(snapshot.files[file].path)' of \(snapshot.record.label) has a wrong page checksum",
                remedy:
                    "The page was damaged on the server before the backup: check its disks, and restore an older backup."
            ))
    }

    /// The first block of a relation file; nil for any other file.
    package static func firstBlock(of file: Snapshot.File) -> UInt32? {
        let parts = file.path.split(separator: "/")
        switch file.root {
        case .data:
            guard parts.first == "base" && parts.count == 3 || parts.first == "global" && parts.count == 2 else {
                return nil
            }
        case .tablespace: guard parts.count == 3 else { return nil }
        case .wal: return nil
        }
        guard var name = parts.last else { return nil }
        if file.increment != nil { name = name.dropFirst(IncrementalHeader.namePrefix.count) }
        let pieces = name.split(separator: ".", omittingEmptySubsequences: false)
        let stem = pieces[0].split(separator: "_", omittingEmptySubsequences: false)
        guard UInt32(stem[0]) != nil, stem.count == 1 || stem.count == 2 && ["fsm", "vm", "init"].contains(stem[1])
        else {
            return nil
        }
        if pieces.count == 1 { return 0 }
        guard pieces.count == 2, let segment = UInt32(pieces[1]), segment < 32_768 else { return nil }
        return segment * pagesPerSegment
    }
}
