/// Reads the log page by page, and notes which blocks it changes.
package struct BlockMapReader {
    /// What was noted so far.
    package private(set) var map = BlockMap()
    /// The checkpoint from which recovery begins where the range does.
    package private(set) var beginning: Checkpoint?
    /// The checkpoint from which recovery begins where the range ends; it stands behind the range.
    package private(set) var ending: Checkpoint?
    private var records = WALRecordReader()
    private let range: Range<UInt64>

    /// A checkpoint's record: it tells one history of a cluster from another, because the time is in it.
    package struct Checkpoint: Sendable, Hashable {
        package var position: UInt64
        /// The checksum that PostgreSQL gave it.
        package var checksum: UInt32
    }

    /// - Parameter range: the positions of the records whose blocks count.
    package init(range: Range<UInt64>) { self.range = range }

    /// Takes the next page, or of the last one as much as there is. The first one is that of a segment.
    /// - Throws: `WALFormatError` when the log cannot be followed, or does not tell all changes.
    package mutating func consume(page: UnsafeRawBufferPointer) throws(WALFormatError) {
        var found: [WALRecord] = []
        try unsafe records.consume(page: page) { record in
            if range.contains(record.position) || record.manager == 0 { found.append(record) }
        }
        guard let header = records.header else { return }
        for record in found {
            if range.contains(record.position) { try map.add(record, majorVersion: header.majorVersion) }
            guard let redo = try record.redo(majorVersion: header.majorVersion) else { continue }
            let checkpoint = Checkpoint(position: record.position, checksum: try record.checksum())
            if redo == range.lowerBound { beginning = checkpoint }
            if redo == range.upperBound { ending = checkpoint }
        }
    }
}

/// Which blocks a stretch of the log changes, as PostgreSQL 17 and later note it for incremental backups
/// (documentation, "WAL Summarization").
///
/// The free space map is left out: it is not logged block by block, and is backed up whole.
package struct BlockMap: Sendable, Hashable {
    /// Blocks of a heap that one block of its visibility map tells of: two bits for each, behind a header of 24 bytes.
    private static let heapBlocksPerMapBlock: UInt32 = (8192 - 24) * 4
    private static let freeSpaceMap: UInt8 = 1
    private static let visibilityMap: UInt8 = 2

    private var forks: [RelationFork: ChangedBlocks] = [:]

    /// Makes a map without changes.
    package init() {}

    /// What changed of a file; nil for nothing.
    package subscript(fork: RelationFork) -> ChangedBlocks? { forks[fork] }

    /// The files of which something changed, in no order.
    package var changed: some Collection<RelationFork> { forks.keys }

    /// Whether a database was made, copied or dropped in a tablespace, so that nothing is known of its files.
    package func isReplaced(database: UInt32, tablespace: UInt32) -> Bool {
        forks[RelationFork(tablespace: tablespace, database: database, relation: 0, fork: 0)] != nil
    }

    /// Takes in a map of what came later.
    package mutating func merge(_ later: BlockMap) {
        for (fork, changes) in later.forks { forks[fork, default: ChangedBlocks()].merge(changes) }
    }

    /// Notes a block.
    package mutating func mark(_ fork: RelationFork, _ block: UInt32) {
        guard fork.fork != Self.freeSpaceMap else { return }
        forks[fork, default: ChangedBlocks()].mark(block)
    }

    /// Notes that a file was made anew or cut, so that blocks from `limit` on are not those that were there before.
    package mutating func cut(_ fork: RelationFork, to limit: UInt32) {
        guard fork.fork != Self.freeSpaceMap else { return }
        forks[fork, default: ChangedBlocks()].cut(to: limit)
    }

    /// Notes what a record changes.
    /// - Parameter majorVersion: of the PostgreSQL that wrote it.
    /// - Throws: `WALFormatError` when the record cannot be understood, or says that changes are not logged.
    mutating func add(_ record: WALRecord, majorVersion: Int) throws(WALFormatError) {
        var found: [(fork: RelationFork, block: UInt32)] = []
        let data = try record.forEachReference(majorVersion: majorVersion) { fork, block in
            found.append((fork, block))
        }
        for (fork, block) in found {
            mark(fork, block)
            // Records of a heap change its visibility map without a reference to it (`visibilitymap_clear`).
            if record.manager == 9 || record.manager == 10, fork.fork == 0 {
                var map = fork
                map.fork = Self.visibilityMap
                mark(map, block / Self.heapBlocksPerMapBlock)
            }
        }
        guard let data else { return }
        switch (record.manager, record.info & 0xF0) {
        // XLOG_PARAMETER_CHANGE: `wal_level` is the sixth number.
        case (0, 0x60):
            if try record.number(at: data + 20, as: UInt32.self) == 0 {
                throw record.fault("says that wal_level was 'minimal': not every change is in the log")
            }
        case (1, _): try addTransaction(record, data)
        // XLOG_SMGR_CREATE, XLOG_SMGR_TRUNCATE.
        case (2, 0x10):
            var fork = try Self.fork(record, at: data)
            fork.fork = UInt8(truncatingIfNeeded: try record.number(at: data + 12, as: UInt32.self))
            cut(fork, to: 0)
        case (2, 0x20):
            var fork = try Self.fork(record, at: data + 4)
            let parts = try record.number(at: data + 16, as: UInt32.self)
            if parts & 1 != 0 { cut(fork, to: try record.number(at: data, as: UInt32.self)) }
            fork.fork = Self.visibilityMap
            if parts & 2 != 0 { cut(fork, to: 0) }
        case (4, let info): try addDatabase(record, data, info, majorVersion)
        default: break
        }
    }

    /// The end of a transaction names the relations whose files go with it (`ParseCommitRecord`, `ParseAbortRecord`).
    private mutating func addTransaction(_ record: WALRecord, _ data: Int) throws(WALFormatError) {
        switch record.info & 0x70 {
        case 0x00, 0x20, 0x30, 0x40: break
        default: return
        }
        guard record.info & 0x80 != 0 else { return }
        let parts = try record.number(at: data + 8, as: UInt32.self)
        var offset = data + 12
        if parts & 1 != 0 { offset += 8 }
        if parts & 2 != 0 { offset += 4 + 4 * Int(try record.number(at: offset, as: UInt32.self)) }
        guard parts & 4 != 0 else { return }
        let count = Int(try record.number(at: offset, as: UInt32.self))
        offset += 4
        for _ in 0..<count {
            var fork = try Self.fork(record, at: offset)
            for number in [0, Self.visibilityMap, 3] {
                fork.fork = number
                cut(fork, to: 0)
            }
            offset += 12
        }
    }

    /// Databases that are made or dropped; those of version 15 and later also say how.
    private mutating func addDatabase(
        _ record: WALRecord, _ data: Int, _ info: UInt8, _ majorVersion: Int
    ) throws(WALFormatError) {
        let database = try record.number(at: data, as: UInt32.self)
        if info == (majorVersion >= 15 ? 0x20 : 0x10) {
            let count = Int(try record.number(at: data + 4, as: UInt32.self))
            for index in 0..<count { replace(database, try record.number(at: data + 8 + 4 * index, as: UInt32.self)) }
        } else {
            replace(database, try record.number(at: data + 4, as: UInt32.self))
        }
    }

    private mutating func replace(_ database: UInt32, _ tablespace: UInt32) {
        cut(RelationFork(tablespace: tablespace, database: database, relation: 0, fork: 0), to: 0)
    }

    private static func fork(_ record: WALRecord, at offset: Int) throws(WALFormatError) -> RelationFork {
        try RelationFork(
            tablespace: record.number(at: offset, as: UInt32.self),
            database: record.number(at: offset + 4, as: UInt32.self),
            relation: record.number(at: offset + 8, as: UInt32.self), fork: 0)
    }
}
