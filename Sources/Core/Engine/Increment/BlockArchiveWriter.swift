import PostgresClient
import WALFormat

/// Writes the tar streams of a backup that is read over SQL.
struct BlockArchiveWriter {
    private static let zeros = [UInt8](repeating: 0, count: 65_536)
    private let streams: BackupStreams
    private let fileMode: Int
    private let folderMode: Int
    private let meter: BandwidthMeter?

    /// - Parameters:
    ///   - isGroupReadable: whether the cluster lets its group read.
    ///   - meter: how fast the server may be read; nil for as fast as it goes.
    init(streams: BackupStreams, isGroupReadable: Bool, meter: BandwidthMeter?) {
        self.streams = streams
        fileMode = isGroupReadable ? 0o640 : 0o600
        folderMode = isGroupReadable ? 0o750 : 0o700
        self.meter = meter
    }

    /// Adds a file or a folder of the server. A file that is gone is left out; what it has lost at its end meanwhile is zero: the
    /// log says so too, and recovery cuts it.
    /// - Parameter links: the archives of tablespaces, to whose folders links lead.
    func add(_ plan: FilePlan, from stretches: ServerFileStream, links: [BaseBackupArchive]) async throws {
        if plan.file.isFolder { return try await addFolder(plan, links) }
        let increment = plan.increment
        let byteCount = increment?.fileByteCount ?? plan.file.byteCount
        let ranges = plan.stretches(increment)
        func begin() async throws {
            try await put(header(.file, plan.path, byteCount: byteCount, plan.file.modifiedAt))
            if let increment { try await put(increment.encoded()) }
        }
        var isBegun = ranges.isEmpty
        if ranges.isEmpty { try await begin() }
        for (number, range) in ranges.enumerated() {
            let isThere = try await stretches.advance()
            if number == 0, isThere {
                try await begin()
                isBegun = true
            }
            guard isBegun else { continue }
            try await stretches.withBytes { bytes in
                let count = min(bytes.byteCount, range.byteCount)
                try await meter?.pass(byteCount: count)
                try await streams.archiveBytes(bytes.extracting(0..<count))
                try await addZeros(range.byteCount - count)
            }
        }
        if isBegun { try await addZeros(padding(behind: byteCount)) }
    }

    /// Adds a small file of our own.
    func add(_ path: String, _ content: [UInt8], modifiedAt: Int) async throws {
        try await put(header(.file, path, byteCount: content.count, modifiedAt))
        try await put(content)
        try await addZeros(padding(behind: content.count))
    }

    /// Ends the archive.
    func finishArchive() async throws {
        try await addZeros(1024)
        try await streams.archiveEnded()
    }

    private func addFolder(_ plan: FilePlan, _ links: [BaseBackupArchive]) async throws {
        if let link = links.first(where: { $0.location != nil && plan.path == "pg_tblspc/\($0.name)" }) {
            var entry = entry(.link, plan.path, byteCount: 0, plan.file.modifiedAt)
            entry.linkTarget = Array((link.location ?? "").utf8)
            return try await put(TarHeader.make(entry))
        }
        try await put(header(.folder, plan.path, byteCount: 0, plan.file.modifiedAt))
        if plan.path == "pg_wal" {
            try await put(header(.folder, "pg_wal/archive_status", byteCount: 0, plan.file.modifiedAt))
        }
    }

    private func header(_ kind: Member.Kind, _ path: String, byteCount: Int, _ modifiedAt: Int) -> [UInt8] {
        TarHeader.make(entry(kind, path, byteCount: byteCount, modifiedAt))
    }

    private func entry(_ kind: Member.Kind, _ path: String, byteCount: Int, _ modifiedAt: Int) -> TarHeader.Entry {
        TarHeader.Entry(
            kind: kind, path: Array(path.utf8), byteCount: byteCount, mode: kind == .file ? fileMode : folderMode,
            modifiedAt: modifiedAt)
    }

    private func padding(behind byteCount: Int) -> Int { (512 - byteCount % 512) % 512 }

    private func put(_ bytes: [UInt8]) async throws {
        // Sound: the span does not outlive the call.
        try await streams.archiveBytes(unsafe bytes.span.bytes)
    }

    private func addZeros(_ count: Int) async throws {
        var left = count
        while left > 0 {
            let piece = min(left, Self.zeros.count)
            try await streams.archiveBytes(unsafe Self.zeros.span.bytes.extracting(0..<piece))
            left -= piece
        }
    }
}
