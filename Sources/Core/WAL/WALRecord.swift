/// A record of the write-ahead log: its header, the blocks that it refers to, and what is its own
/// (`src/include/access/xlogrecord.h`).
package struct WALRecord: Sendable {
    /// Bytes of a record's header.
    static let headerByteCount = 24
    /// The most bytes that a header with all its references takes: 33 of them, and what tells of the data.
    static let referencesByteCount = 1024

    /// The position of the first byte.
    package let position: UInt64
    /// Who wrote it, and knows what it means: a number of `src/include/access/rmgrlist.h`.
    package let manager: UInt8
    /// What the manager says it is.
    package let info: UInt8
    /// The position of the record before.
    package let previous: UInt64
    /// Bytes of the whole record.
    package let byteCount: Int
    /// The record from its beginning: all of it for managers that are kept whole, else as far as the references go.
    let bytes: [UInt8]

    /// Managers of which there is something to know beside the references: of the log, transactions, files of relations, and
    /// databases.
    static func isKeptWhole(_ manager: UInt8) -> Bool { manager == 1 || manager == 2 || manager == 4 }

    /// - Returns: nil when the bytes do not have a header.
    init?(position: UInt64, byteCount: Int, bytes: [UInt8]) {
        guard bytes.count >= Self.headerByteCount, let previous = bytes.number(at: 8, as: UInt64.self) else {
            return nil
        }
        self.position = position
        info = bytes[16]
        manager = bytes[17]
        self.previous = previous
        self.byteCount = byteCount
        self.bytes = bytes
    }

    /// Calls `body` with each block that the record changes.
    /// - Parameter majorVersion: of the PostgreSQL that wrote it: flags differ.
    /// - Returns: where the record's own data begins; nil when it has none.
    /// - Throws: `WALFormatError`.
    @discardableResult
    func forEachReference(
        majorVersion: Int, _ body: (RelationFork, UInt32) -> Void
    ) throws(WALFormatError) -> Int? {
        var offset = Self.headerByteCount
        var dataByteCount = 0
        var relation: RelationFork?
        while byteCount - offset > dataByteCount {
            let id = try number(at: offset, as: UInt8.self)
            offset += 1
            switch id {
            case 255:
                _ = try number(at: offset, as: UInt8.self)
                return offset + 1 + dataByteCount
            case 254:
                _ = try number(at: offset, as: UInt32.self)
                return offset + 4 + dataByteCount
            // The origin of replication, and the transaction above.
            case 253: offset += 2
            case 252: offset += 4
            case 0...32:
                let (found, block, bytes) = try reference(&offset, after: relation, majorVersion)
                relation = found
                dataByteCount += bytes
                body(found, block)
            default: throw fault("refers to a block \(id)")
            }
        }
        guard byteCount - offset == dataByteCount else { throw fault("ends within its data") }
        return nil
    }

    /// Reads one reference behind its id.
    private func reference(
        _ offset: inout Int, after relation: RelationFork?, _ majorVersion: Int
    ) throws(WALFormatError) -> (RelationFork, block: UInt32, dataByteCount: Int) {
        let flags = try number(at: offset, as: UInt8.self)
        var dataByteCount = Int(try number(at: offset + 1, as: UInt16.self))
        offset += 3
        if flags & 0x10 != 0 {
            dataByteCount += Int(try number(at: offset, as: UInt16.self))
            let image = try number(at: offset + 4, as: UInt8.self)
            offset += 5
            let compressed: UInt8 = majorVersion >= 15 ? 0x1C : 0x02
            // A compressed image says how long its hole is; of another, what is missing is the hole.
            if image & compressed != 0, image & 0x01 != 0 { offset += 2 }
        }
        var fork = relation
        if flags & 0x80 == 0 {
            fork = try RelationFork(
                tablespace: number(at: offset, as: UInt32.self), database: number(at: offset + 4, as: UInt32.self),
                relation: number(at: offset + 8, as: UInt32.self), fork: 0)
            offset += 12
        }
        guard var fork else { throw fault("refers to the relation of no reference before") }
        fork.fork = flags & 0x0F
        let block = try number(at: offset, as: UInt32.self)
        guard block < .max else { throw fault("refers to no block") }
        offset += 4
        return (fork, block, dataByteCount)
    }

    /// Where recovery begins from a checkpoint; nil for a record of another kind (XLOG_CHECKPOINT_SHUTDOWN, XLOG_CHECKPOINT_ONLINE).
    func redo(majorVersion: Int) throws(WALFormatError) -> UInt64? {
        guard manager == 0, info & 0xF0 <= 0x10,
            let data = try forEachReference(majorVersion: majorVersion, { _, _ in })
        else { return nil }
        return try number(at: data, as: UInt64.self)
    }

    /// Where the checksum of a record stands in the log: it is the last of its header's words of 8 bytes, which stay together.
    package static func checksumPosition(ofRecordAt position: UInt64, segmentByteCount: UInt64) -> UInt64 {
        let page = UInt64(WALPageHeader.pageByteCount)
        let left = page - position % page
        if left >= UInt64(headerByteCount) { return position + 20 }
        let next = position + left
        return next + (next % segmentByteCount == 0 ? 40 : 24) + 20 - left
    }

    /// The checksum that PostgreSQL gave the record.
    func checksum() throws(WALFormatError) -> UInt32 { try number(at: 20, as: UInt32.self) }

    /// A number of the record.
    /// - Throws: `WALFormatError` when it is not wholly inside.
    func number<Number: FixedWidthInteger>(at offset: Int, as _: Number.Type) throws(WALFormatError) -> Number {
        guard let number = bytes.number(at: offset, as: Number.self) else { throw fault("is cut off") }
        return number
    }

    func fault(_ words: String) -> WALFormatError {
        WALFormatError(
            "the record at \(String(position >> 32, radix: 16, uppercase: true))/"
                + "\(String(position & 0xFFFF_FFFF, radix: 16, uppercase: true)) of manager \(manager) \(words)")
    }
}

/// One of the files that make a relation: its data, or what is known about it.
package struct RelationFork: Sendable, Hashable {
    /// The file's tablespace.
    package var tablespace: UInt32
    /// The database; 0 for what all share.
    package var database: UInt32
    /// The number in the file's name; 0 for all relations of the database there.
    package var relation: UInt32
    /// 0 for the data, 1 for the free space map, 2 for the visibility map, 3 for what an unlogged relation begins with.
    package var fork: UInt8

    package init(tablespace: UInt32, database: UInt32, relation: UInt32, fork: UInt8) {
        self.tablespace = tablespace
        self.database = database
        self.relation = relation
        self.fork = fork
    }
}
