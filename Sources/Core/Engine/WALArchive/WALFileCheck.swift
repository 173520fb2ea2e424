import PostgresClient
import WALFormat

/// Compares what a file of the log says about itself with its name and its size.
enum WALFileCheck {
    /// - Throws: `WALFormatError` with what does not fit.
    static func require(_ header: WALPageHeader, fits name: WALFileName, byteCount: Int) throws(WALFormatError) {
        guard let segment = header.segment else { throw WALFormatError("its first page is not that of a segment") }
        guard segment.byteCount == byteCount, let size = WALSegmentSize(byteCount: byteCount) else {
            throw WALFormatError("it has \(byteCount) bytes, and says that segments have \(segment.byteCount)")
        }
        let named = WALSegment(name: String(name.string.prefix(24)), size: size)
        guard let named, named.start == LSN(header.address) else {
            throw WALFormatError("it begins at \(LSN(header.address)), which is not where its name says")
        }
        // The first segment of a timeline has a copy of what the one before wrote to it.
        guard header.timeline <= name.timeline.number else {
            throw WALFormatError("it was written on timeline \(header.timeline)")
        }
    }
}

/// Collects the pages of a file that comes in pieces of any length.
struct WALPages {
    /// The beginning of a page of which the rest did not come yet; empty between two pages.
    private(set) var page: [UInt8] = []

    /// Hands out each page that is complete.
    mutating func consume(_ bytes: RawSpan, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        let size = WALPageHeader.pageByteCount
        // Sound: pages are slices inside the buffer, and live for the call.
        try unsafe bytes.withUnsafeBytes { all in
            var offset = 0
            while offset < all.count {
                if page.isEmpty, all.count - offset >= size {
                    try unsafe body(UnsafeRawBufferPointer(rebasing: all[offset..<offset + size]))
                    offset += size
                    continue
                }
                let taken = min(size - page.count, all.count - offset)
                unsafe page.append(contentsOf: all[offset..<offset + taken])
                offset += taken
                guard page.count == size else { continue }
                try unsafe page.withUnsafeBytes { try unsafe body($0) }
                page = []
            }
        }
    }
}
