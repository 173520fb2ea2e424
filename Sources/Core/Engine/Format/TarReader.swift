/// Why a tar stream cannot be understood.
package struct TarError: Error, Sendable, CustomStringConvertible {
    package let offset: Int
    package let words: String
    package var description: String { "tar stream at byte \(offset): \(words)" }
}

/// Takes what a `TarReader` finds, in the order of the stream.
protocol TarVisitor: AnyObject {
    /// An entry begins; its content stands at `member.offset`.
    func begin(_ member: Member) throws
    /// A piece of the entry's content.
    func content(_ bytes: UnsafeRawBufferPointer) throws
    /// The entry's content is complete.
    func end() throws
}

/// Understands a tar stream (POSIX.1-1988 ustar, with GNU's base-256 sizes) as it comes, in pieces of any length.
struct TarReader {
    private enum State {
        case header
        case content(remaining: Int)
        case padding(remaining: Int)
        case end
    }

    private static let blockByteCount = 512
    private var state = State.header
    private var header: [UInt8] = []
    private(set) var offset = 0

    /// Whether the stream stands between entries: it may end here.
    var isBetweenEntries: Bool {
        switch state {
        case .header: header.isEmpty
        case .end: true
        case .content, .padding: false
        }
    }

    /// Takes the next piece of the stream.
    mutating func consume(_ bytes: UnsafeRawBufferPointer, visitor: any TarVisitor) throws {
        var rest = unsafe bytes
        while unsafe !rest.isEmpty {
            switch state {
            case .header:
                let taken = min(Self.blockByteCount - header.count, rest.count)
                unsafe header.append(contentsOf: rest[..<taken])
                unsafe rest = advance(rest, by: taken)
                if header.count == Self.blockByteCount { try beginEntry(visitor) }
            case .content(let remaining):
                let taken = min(remaining, rest.count)
                try unsafe visitor.content(UnsafeRawBufferPointer(rebasing: rest[..<taken]))
                unsafe rest = advance(rest, by: taken)
                if taken == remaining {
                    try endContent(visitor)
                } else {
                    state = .content(remaining: remaining - taken)
                }
            case .padding(let remaining):
                let taken = min(remaining, rest.count)
                unsafe rest = advance(rest, by: taken)
                state = taken == remaining ? .header : .padding(remaining: remaining - taken)
            case .end:
                // PostgreSQL ends an archive with two blocks of zeros; pg_basebackup's readers accept more of them.
                guard unsafe rest.allSatisfy({ $0 == 0 }) else {
                    throw TarError(offset: offset, words: "bytes follow the end mark")
                }
                unsafe rest = advance(rest, by: rest.count)
            }
        }
    }

    private var currentSize = 0

    private mutating func advance(_ bytes: UnsafeRawBufferPointer, by count: Int) -> UnsafeRawBufferPointer {
        offset += count
        return unsafe UnsafeRawBufferPointer(rebasing: bytes[count...])
    }

    private mutating func beginEntry(_ visitor: any TarVisitor) throws {
        defer { header.removeAll(keepingCapacity: true) }
        if header.allSatisfy({ $0 == 0 }) {
            state = .end
            return
        }
        let member = try TarHeader.parse(header, contentOffset: offset)
        try visitor.begin(member)
        currentSize = member.byteCount
        if member.byteCount == 0 { try endContent(visitor) } else { state = .content(remaining: member.byteCount) }
    }

    private mutating func endContent(_ visitor: any TarVisitor) throws {
        try visitor.end()
        let padding = (Self.blockByteCount - currentSize % Self.blockByteCount) % Self.blockByteCount
        state = padding == 0 ? .header : .padding(remaining: padding)
    }
}
