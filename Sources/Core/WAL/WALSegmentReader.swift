/// Reads a segment of the write-ahead log page by page, and tells what an archive has to know of it.
///
/// It follows the records from one to the next, and looks into those that end a transaction or name a restore point
/// (`src/include/access/xact.h`, `pg_control.h`). It ends quietly where the log ends before the segment does.
package struct WALSegmentReader {
    /// The header of the segment; nil before the first page.
    package var header: WALPageHeader? { records.header }
    /// The position of the last record that begins and ends in the segment; nil when there is none.
    package private(set) var lastRecord: UInt64?
    /// The latest end of a transaction that the segment tells of, in microseconds since 1970 UTC; nil when it tells of none.
    package private(set) var lastTransactionAt: Int64?
    /// The names of the restore points in the segment, in their order.
    package private(set) var restorePoints: [String] = []

    private var records = WALRecordReader()
    private var isEnd = false

    /// Begins at the front of a segment.
    package init() {}

    /// Takes the next page.
    /// - Throws: `WALFormatError` when the first page is not that of a segment.
    package mutating func consume(page: UnsafeRawBufferPointer) throws(WALFormatError) {
        guard !isEnd else { return }
        var (last, events) = (lastRecord, [Event]())
        let isFirst = header == nil
        do {
            try unsafe records.consume(page: page) { record in
                last = record.position
                if let event = Event(record) { events.append(event) }
            }
        } catch {
            // Behind the end of a partial segment stands what was there before.
            isEnd = true
            if isFirst, header == nil { throw error }
        }
        lastRecord = last
        for event in events {
            switch event {
            case .transactionEnd(let time): lastTransactionAt = max(lastTransactionAt ?? time, time)
            case .restorePoint(let name): restorePoints.append(name)
            }
        }
    }
}

private enum Event {
    case transactionEnd(Int64)
    case restorePoint(String)

    /// Microseconds from 1970 to 2000, where PostgreSQL's times begin.
    private static let epoch: Int64 = 946_684_800_000_000

    init?(_ record: WALRecord) {
        switch (record.manager, record.info & 0x70) {
        // RM_XACT_ID: commit, abort, and those of prepared transactions begin with the time.
        case (1, 0x00), (1, 0x20), (1, 0x30), (1, 0x40):
            guard let data = Self.mainData(of: record), let time = record.bytes.number(at: data, as: Int64.self)
            else { return nil }
            let (sum, isOver) = time.addingReportingOverflow(Self.epoch)
            guard !isOver else { return nil }
            self = .transactionEnd(sum)
        // RM_XLOG_ID, XLOG_RESTORE_POINT: a time and a name of 64 bytes, ended by a zero.
        case (0, 0x70):
            guard record.info & 0xF0 == 0x70, let data = Self.mainData(of: record),
                record.bytes.count >= data + 72
            else { return nil }
            let name = record.bytes[(data + 8)..<(data + 72)].prefix { $0 != 0 }
            self = .restorePoint(String(decoding: name, as: UTF8.self))
        default: return nil
        }
    }

    private static func mainData(of record: WALRecord) -> Int? {
        (try? record.forEachReference(majorVersion: 14) { _, _ in }) ?? nil
    }
}
