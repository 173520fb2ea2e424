/// What stands at the front of each page of the write-ahead log.
///
/// The layout is that of PostgreSQL 14 to 18 (`src/include/access/xlog_internal.h`), on machines that are little-endian and align
/// to 8 bytes: magic (2), flags (2), timeline (4), address (8), bytes left of a record that began before (4), padding to 24. The
/// first page of a segment goes on with the system identifier (8), bytes of a segment (4) and bytes of a page (4).
package struct WALPageHeader: Sendable, Hashable {
    /// Bytes of a page: PostgreSQL's standard `XLOG_BLCKSZ`.
    package static let pageByteCount = 8192
    private static let magics: [UInt16: Int] = [0xD10D: 14, 0xD110: 15, 0xD113: 16, 0xD116: 17, 0xD118: 18]

    /// What only the first page of a segment says.
    package struct Segment: Sendable, Hashable {
        /// Tells clusters apart.
        package let systemIdentifier: UInt64
        /// Bytes of each segment of the cluster.
        package let byteCount: Int
    }

    /// The major version of the PostgreSQL that wrote the page.
    package let majorVersion: Int
    /// The timeline that it was written on.
    package let timeline: UInt32
    /// The position of the page's first byte in the log.
    package let address: UInt64
    /// Bytes left of a record that began on an earlier page; 0 when none goes on here.
    package let remainingByteCount: Int
    /// Whether the record that an earlier page began was given up, and none goes on here.
    package let overwritesRecord: Bool
    /// nil on all pages but a segment's first.
    package let segment: Segment?

    /// Bytes of the header: where the page's content begins.
    package var byteCount: Int { segment == nil ? 24 : 40 }

    /// Reads the header of a page.
    /// - Parameter page: the page, or its beginning.
    /// - Throws: `WALFormatError` when it is none, or of a version that is not known.
    package init(_ page: UnsafeRawBufferPointer) throws(WALFormatError) {
        guard let magic = unsafe page.number(at: 0, as: UInt16.self),
            let flags = unsafe page.number(at: 2, as: UInt16.self),
            let timeline = unsafe page.number(at: 4, as: UInt32.self),
            let address = unsafe page.number(at: 8, as: UInt64.self),
            let remaining = unsafe page.number(at: 16, as: UInt32.self), page.count >= 24
        else { throw WALFormatError("a page header is cut off") }
        guard let version = Self.magics[magic] else {
            throw WALFormatError("a page begins with \(magic), which is not of PostgreSQL 14 to 18")
        }
        guard flags & ~0xF == 0 else { throw WALFormatError("a page has the unknown flags \(flags)") }
        guard timeline > 0 else { throw WALFormatError("a page is of timeline 0") }
        guard address % UInt64(Self.pageByteCount) == 0 else { throw WALFormatError("a page stands at \(address)") }
        majorVersion = version
        self.timeline = timeline
        self.address = address
        remainingByteCount = flags & 0x1 != 0 ? Int(remaining) : 0
        overwritesRecord = flags & 0x8 != 0
        segment = flags & 0x2 != 0 ? try unsafe Self.segment(page, address) : nil
    }

    private static func segment(
        _ page: UnsafeRawBufferPointer, _ address: UInt64
    ) throws(WALFormatError) -> Segment {
        guard let identifier = unsafe page.number(at: 24, as: UInt64.self),
            let size = unsafe page.number(at: 32, as: UInt32.self),
            let pageSize = unsafe page.number(at: 36, as: UInt32.self)
        else { throw WALFormatError("a segment's header is cut off") }
        guard size >= 1 << 20, size <= 1 << 30, size & (size - 1) == 0 else {
            throw WALFormatError("segments of \(size) bytes are not possible")
        }
        guard pageSize == Self.pageByteCount else {
            throw WALFormatError("pages of \(pageSize) bytes are not supported")
        }
        guard address % UInt64(size) == 0 else { throw WALFormatError("a segment begins at \(address)") }
        return Segment(systemIdentifier: identifier, byteCount: Int(size))
    }
}
