/// Follows the records of the log from page to page, over any number of segments of one timeline.
///
/// It begins at the front of a segment, with the first record that begins there. Each record names the one before, so that it
/// does not take what stood in a segment before for what belongs to it.
package struct WALRecordReader {
    /// The header of the first page.
    package private(set) var header: WALPageHeader?
    private var segmentByteCount: UInt64 = 0
    private var nextAddress: UInt64 = 0
    /// Whether the rest of the segment is empty, because the log was switched to the next one.
    private var isSwitched = false
    /// Bytes left of the current record.
    private var left = 0
    private var total = 0
    /// Where the current record begins; nil for one that began before the first page.
    private var start: UInt64?
    private var previous: UInt64?
    private var prefix: [UInt8] = []
    private var prefixLimit = 0

    /// Begins.
    package init() {}

    /// Takes the next page, or of the last one as much as there is, and hands out each record that ends in it.
    /// - Throws: `WALFormatError` when it is not what comes next in a log.
    package mutating func consume(
        page: UnsafeRawBufferPointer, _ body: (WALRecord) -> Void
    ) throws(WALFormatError) {
        if isSwitched, nextAddress % segmentByteCount != 0 {
            nextAddress &+= UInt64(WALPageHeader.pageByteCount)
            return
        }
        isSwitched = false
        let found = try unsafe WALPageHeader(page)
        if header == nil {
            guard let segment = found.segment else {
                throw WALFormatError("the first page has no segment's header")
            }
            header = found
            segmentByteCount = UInt64(segment.byteCount)
            left = found.remainingByteCount
        } else {
            guard found.address == nextAddress, (found.segment != nil) == (nextAddress % segmentByteCount == 0) else {
                throw WALFormatError("a page of \(found.address) stands where that of \(nextAddress) is expected")
            }
            if found.overwritesRecord {
                // PostgreSQL gave the record up, and writes the next one here.
                left = 0
                previous = nil
            } else if found.remainingByteCount != left {
                throw WALFormatError(
                    "the page at \(found.address) goes on with \(found.remainingByteCount) bytes of a record that lacks \(left)"
                )
            }
        }
        nextAddress = found.address &+ UInt64(WALPageHeader.pageByteCount)
        try unsafe follow(page, from: found.byteCount, found.address, body)
    }

    private mutating func follow(
        _ page: UnsafeRawBufferPointer, from offset: Int, _ address: UInt64,
        _ body: (WALRecord) -> Void
    ) throws(WALFormatError) {
        var offset = offset
        while offset < page.count {
            if left == 0 {
                // Records begin at multiples of 8, so the first 4 bytes of one are never divided.
                offset = (offset + 7) & ~7
                guard offset < page.count else { return }
                guard let length = unsafe page.number(at: offset, as: UInt32.self),
                    length >= WALRecord.headerByteCount, length <= 1 << 30
                else { throw WALFormatError("there is no record at \(address + UInt64(offset))") }
                (left, total) = (Int(length), Int(length))
                start = address + UInt64(offset)
                prefix.removeAll(keepingCapacity: true)
                prefixLimit = WALRecord.headerByteCount
            }
            var taken = min(left, page.count - offset)
            if start != nil, prefix.count < prefixLimit {
                taken = min(taken, prefixLimit - prefix.count)
                // Sound: the range ends inside the page.
                unsafe prefix.append(contentsOf: UnsafeRawBufferPointer(rebasing: page[offset..<offset + taken]))
                if prefix.count == WALRecord.headerByteCount {
                    prefixLimit =
                        WALRecord.isKeptWhole(prefix[17]) ? total : min(total, WALRecord.referencesByteCount)
                }
            }
            left -= taken
            offset += taken
            if left == 0, try finishRecord(body) { return }
        }
    }

    /// - Returns: whether the rest of the segment is empty.
    private mutating func finishRecord(
        _ body: (WALRecord) -> Void
    ) throws(WALFormatError) -> Bool {
        guard let begin = start else { return false }
        start = nil
        let before = previous
        previous = begin
        guard let record = WALRecord(position: begin, byteCount: total, bytes: prefix) else {
            throw WALFormatError("the record at \(begin) has no header")
        }
        if let before, record.previous != before { throw record.fault("does not name the one before") }
        body(record)
        // RM_XLOG_ID, XLOG_SWITCH.
        isSwitched = record.manager == 0 && record.info & 0xF0 == 0x40
        return isSwitched
    }
}
