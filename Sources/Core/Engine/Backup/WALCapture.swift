import PostgresClient

/// Puts the WAL that a backup needs into its archive `pg_wal`, one tar entry for each segment.
final class WALCapture: WALReceiver {
    private let stream: FrameStream
    private let tap = ArchiveTap(makeDigest: nil)
    private let size: WALSegmentSize
    private let timeline: Timeline
    private let modifiedAt: Int64
    private var position: LSN
    private var segments: [String] = []

    /// - Parameters:
    ///   - start: the beginning of a segment.
    ///   - modifiedAt: for the entries, in seconds since 1970.
    init(stream: FrameStream, start: LSN, timeline: Timeline, size: WALSegmentSize, modifiedAt: Int) {
        self.stream = stream
        self.size = size
        self.timeline = timeline
        self.modifiedAt = Int64(modifiedAt)
        position = start
    }

    var members: [Member] { tap.members }

    func walBytes(_ bytes: RawSpan, at start: LSN) async throws -> LSN? {
        guard start == position else {
            throw EngineError(.streamMalformed, "WAL at \(start) came when \(position) was expected")
        }
        var offset = 0
        while offset < bytes.byteCount {
            let segment = WALSegment(containing: position, timeline: timeline, size: size)
            if position == segment.start {
                segments.append(segment.name)
                try await put(
                    TarHeader.make(path: segment.name, byteCount: size.byteCount, mode: 0o600, modifiedAt: modifiedAt))
            }
            let count = min(bytes.byteCount - offset, Int(segment.end.byteCount(since: position)))
            let piece = bytes.extracting(offset..<offset + count)
            try tap.consume(piece)
            try await stream.write(piece)
            position = position.advanced(by: count)
            offset += count
        }
        return nil
    }

    /// Adds a whole small file, such as a timeline's history.
    func add(_ name: String, _ content: [UInt8]) async throws {
        try await put(TarHeader.make(path: name, byteCount: content.count, mode: 0o600, modifiedAt: modifiedAt))
        try await put(content + [UInt8](repeating: 0, count: (512 - content.count % 512) % 512))
    }

    /// Fills the last segment with zeros, as a server does that switches segments, marks all as archived and ends the archive.
    /// - Throws: `.streamMalformed` when WAL up to `end` did not come.
    func finish(required end: LSN) async throws {
        guard position >= end else {
            throw EngineError(.streamMalformed, "WAL ends at \(position), the backup needs \(end)")
        }
        let rest = Int(position.roundedUpToSegment(size: size).byteCount(since: position))
        var left = rest
        let zeros = [UInt8](repeating: 0, count: 65_536)
        while left > 0 {
            try await put(left >= zeros.count ? zeros : Array(zeros.prefix(left)))
            left -= min(left, zeros.count)
        }
        // A restored server would otherwise archive these segments once more (documentation, "archive_status").
        for segment in segments { try await add("archive_status/\(segment).done", []) }
        try await put([UInt8](repeating: 0, count: 1024))
        try tap.finish("pg_wal")
    }

    private func put(_ bytes: [UInt8]) async throws {
        try tap.consume(unsafe bytes.span.bytes)
        try await stream.write(bytes)
    }
}
