/// Reads a segment of the write-ahead log page by page, and tells what an archive has to know of it.
///
/// It follows the records from one to the next, and looks into those that end a transaction or name a restore point
/// (`src/include/access/xlogrecord.h`, `xact.h`, `pg_control.h`). It ends quietly where the log ends before the segment does.
package struct WALSegmentReader {
    /// The bytes of a record's header.
    private static let recordHeaderByteCount = 24
    /// Enough of a record to see its header, and what is at the front of its data.
    private static let prefixByteCount = 256

    /// The header of the segment; nil before the first page.
    package private(set) var header: WALPageHeader?
    /// The position of the last record that begins and ends in the segment; nil when there is none.
    package private(set) var lastRecord: UInt64?
    /// The latest end of a transaction that the segment tells of, in microseconds since 1970 UTC; nil when it tells of none.
    package private(set) var lastTransactionAt: Int64?
    /// The names of the restore points in the segment, in their order.
    package private(set) var restorePoints: [String] = []

    private var nextAddress: UInt64 = 0
    private var isEnd = false
    /// Bytes left of the current record.
    private var left = 0
    /// Where the current record begins; nil for one that began before the segment.
    private var start: UInt64?
    private var previous: UInt64?
    private var prefix: [UInt8] = []

    /// Begins at the front of a segment.
    package init() {}

    /// Takes the next page.
    /// - Throws: `WALFormatError` when the first page is not that of a segment.
    package mutating func consume(page: UnsafeRawBufferPointer) throws(WALFormatError) {
        guard !isEnd else { return }
        guard header != nil else { return try unsafe begin(page) }
        // After a switch of segments all is zero; behind the end of a partial one stands what was there before.
        guard let found = try? unsafe WALPageHeader(page), found.address == nextAddress, found.segment == nil else {
            isEnd = true
            return
        }
        nextAddress += UInt64(page.count)
        if left > 0 {
            guard found.remainingByteCount == left, !found.overwritesRecord else {
                // PostgreSQL gave the record up, and writes the next one here.
                guard found.overwritesRecord else { return isEnd = true }
                left = 0
                return unsafe follow(page, from: found.byteCount, found.address)
            }
        } else if found.remainingByteCount > 0 {
            return isEnd = true
        }
        unsafe follow(page, from: found.byteCount, found.address)
    }

    private mutating func begin(_ page: UnsafeRawBufferPointer) throws(WALFormatError) {
        let first = try unsafe WALPageHeader(page)
        guard first.segment != nil else { throw WALFormatError("the first page has no segment's header") }
        header = first
        nextAddress = first.address + UInt64(page.count)
        left = first.remainingByteCount
        unsafe follow(page, from: first.byteCount, first.address)
    }

    private mutating func follow(_ page: UnsafeRawBufferPointer, from offset: Int, _ address: UInt64) {
        var offset = offset
        while offset < page.count {
            if left == 0 {
                // Records begin at multiples of 8, so the first 4 bytes of one are never divided.
                offset = (offset + 7) & ~7
                guard offset < page.count else { return }
                guard let total = unsafe page.number(at: offset, as: UInt32.self),
                    total >= Self.recordHeaderByteCount, total <= 1 << 30
                else { return isEnd = true }
                left = Int(total)
                start = address + UInt64(offset)
                prefix = []
            }
            let taken = min(left, page.count - offset)
            let wanted = start == nil ? 0 : min(taken, Self.prefixByteCount - prefix.count)
            if wanted > 0 {
                // Sound: the range ends inside the page.
                unsafe prefix.append(
                    contentsOf: UnsafeRawBufferPointer(rebasing: page[offset..<offset + wanted]))
            }
            left -= taken
            offset += taken
            if left == 0, !finishRecord() { return isEnd = true }
        }
    }

    /// - Returns: false when what was read is no record, so that the log ends before it.
    private mutating func finishRecord() -> Bool {
        guard let begin = start else { return true }
        start = nil
        let bytes = prefix
        let found = unsafe bytes.withUnsafeBytes { unsafe Self.content(of: $0) }
        guard let found else { return false }
        // Each record names the one before; what stands behind the end of the log does not.
        if let previous, found.previous != previous { return false }
        previous = begin
        lastRecord = begin
        switch found.event {
        case .transactionEnd(let time): lastTransactionAt = max(lastTransactionAt ?? time, time)
        case .restorePoint(let name): restorePoints.append(name)
        case nil: break
        }
        return true
    }
}

extension WALSegmentReader {
    private enum Event {
        case transactionEnd(Int64)
        case restorePoint(String)
    }

    /// Microseconds from 1970 to 2000, where PostgreSQL's times begin.
    private static let epoch: Int64 = 946_684_800_000_000

    /// What a record's beginning says.
    private static func content(of record: UnsafeRawBufferPointer) -> (previous: UInt64, event: Event?)? {
        guard let previous = unsafe record.number(at: 8, as: UInt64.self),
            let info = unsafe record.number(at: 16, as: UInt8.self),
            let manager = unsafe record.number(at: 17, as: UInt8.self)
        else { return nil }
        switch (manager, info & 0x70) {
        // RM_XACT_ID: commit, abort, and those of prepared transactions begin with the time.
        case (1, 0x00), (1, 0x20), (1, 0x30), (1, 0x40):
            guard let data = unsafe mainData(of: record), let time = unsafe record.number(at: data, as: Int64.self)
            else { return (previous, nil) }
            let (sum, isOver) = time.addingReportingOverflow(epoch)
            return (previous, isOver ? nil : .transactionEnd(sum))
        // RM_XLOG_ID, XLOG_RESTORE_POINT: a time and a name of 64 bytes, ended by a zero.
        case (0, 0x70):
            guard info & 0xF0 == 0x70, let data = unsafe mainData(of: record), record.count >= data + 72 else {
                return (previous, nil)
            }
            let name = unsafe record[(data + 8)..<(data + 72)].prefix { $0 != 0 }
            return (previous, .restorePoint(unsafe String(decoding: name, as: UTF8.self)))
        default: return (previous, nil)
        }
    }

    /// Where the main data of a record begins that refers to no block; nil when there is none.
    private static func mainData(of record: UnsafeRawBufferPointer) -> Int? {
        var offset = recordHeaderByteCount
        while let id = unsafe record.number(at: offset, as: UInt8.self) {
            switch id {
            case 255: return offset + 2
            case 254: return offset + 5
            // The origin of replication, and the transaction above.
            case 253: offset += 3
            case 252: offset += 5
            default: return nil
            }
        }
        return nil
    }
}
