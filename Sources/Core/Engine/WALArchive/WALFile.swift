import BackupAPI
import PostgresClient
import WALFormat

/// A file that PostgreSQL wants to be archived: read once to know it, and once more to store it.
struct WALFile {
    /// Most bytes of a file that is not a segment.
    private static let textByteLimit = 1 << 20
    let name: WALFileName
    let sha256: String
    /// What a segment says about itself; nil for other files.
    let segment: ArchivedWAL.Segment?
    private let source: SourceFile
    private let path: String

    /// Opens and reads a file.
    /// - Throws: `.walMalformed` for what is not the file that its name says; `.fileUnusable`.
    init(_ path: String, cryptography: any Cryptography) throws {
        let last =
            path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[path.utf8.index(after: $0)...]) } ?? path
        guard let name = WALFileName(last) else {
            throw EngineError(.walMalformed, "'\(last)' is not a name that PostgreSQL gives to what it archives")
        }
        self.name = name
        self.path = path
        source = try SourceFile(path, mayHaveOtherNames: true)
        guard name.isLog || source.byteCount <= Self.textByteLimit else {
            throw EngineError(.walMalformed, "'\(name)' has \(source.byteCount) bytes")
        }
        let digest = cryptography.makeDigest(.sha256)
        var pages = WALPages()
        var reader = WALSegmentReader()
        var text: [UInt8] = []
        let buffer = FrameBuffer(capacity: 1 << 20)
        do {
            while true {
                try source.fill(buffer)
                guard buffer.count > 0 else { break }
                buffer.withBytes { digest.update($0) }
                guard name.isLog else {
                    text += buffer.bytes
                    continue
                }
                try buffer.withBytes { (bytes: RawSpan) throws in
                    try unsafe pages.consume(bytes) { try unsafe reader.consume(page: $0) }
                }
            }
            segment = try name.isLog ? Self.segment(reader, name, byteCount: source.byteCount) : nil
        } catch let error as WALFormatError {
            throw EngineError(.walMalformed, "'\(path)': \(error)")
        }
        if name.kind == .history, TimelineHistory(of: name.timeline, String(decoding: text, as: UTF8.self)) == nil {
            throw EngineError(.walMalformed, "'\(path)' is not the history of a timeline")
        }
        sha256 = hexadecimal(digest.finish())
    }

    var byteCount: Int { source.byteCount }

    /// Writes the bytes to a stream.
    /// - Throws: `.fileUnusable` when the file changed since it was opened.
    func copy(to stream: FrameStream) async throws {
        let again = try SourceFile(path, mayHaveOtherNames: true)
        let buffer = FrameBuffer(capacity: 1 << 20)
        while true {
            try again.fill(buffer)
            guard buffer.count > 0 else { break }
            try await buffer.withBytes { (bytes: RawSpan) async throws in try await stream.write(bytes) }
        }
        try source.requireUnchanged()
    }

    private static func segment(
        _ reader: WALSegmentReader, _ name: WALFileName, byteCount: Int
    ) throws(WALFormatError) -> ArchivedWAL.Segment {
        guard let header = reader.header, let own = header.segment else { throw WALFormatError("it is empty") }
        try WALFileCheck.require(header, fits: name, byteCount: byteCount)
        return ArchivedWAL.Segment(
            majorVersion: header.majorVersion, systemIdentifier: String(own.systemIdentifier),
            timeline: header.timeline, lastRecord: reader.lastRecord.map { LSN($0).description },
            // A clock that was years off says nothing, and its number could not be read back.
            lastTransactionAt: reader.lastTransactionAt.map { Int($0) }.flatMap { $0.magnitude < 1 << 53 ? $0 : nil },
            restorePoints: reader.restorePoints.isEmpty ? nil : reader.restorePoints)
    }
}
