import CEngine
import Glibc
import WALFormat

/// Segments that were fetched before PostgreSQL asked for them, in a folder beside where it wants them.
///
/// What is here was proven when it was fetched. A file has the segment's name and its CRC-32C in its own, and is believed only when
/// its bytes have that checksum, its header fits to the name, and it is not old. Whatever is not wanted any more is deleted.
struct WALSpool {
    /// How long a segment is of use: a recovery that went on later may have another archive.
    static let lifetimeInSeconds = 3600
    private let folder: String

    /// - Parameter folder: is made when it is needed; the folder above it must be there.
    init(folder: String) { self.folder = folder }

    /// Moves a segment to where it is wanted, if it is here.
    /// - Parameter now: seconds since 1970.
    /// - Returns: whether it is there now.
    func take(_ name: WALFileName, to path: String, now: Int) throws -> Bool {
        guard let own = entries().first(where: { $0.hasPrefix("\(name).") }) else { return false }
        let stored = "\(folder)/\(own)"
        defer { _ = unsafe unlink(stored) }
        guard isYoung(stored, now: now) else { return false }
        guard let checksum = UInt32(own.dropFirst(name.string.utf8.count + 1), radix: 16),
            try read(stored, name: name, { _ in }) == checksum
        else { return false }
        if unsafe rename(stored, path) == 0 { return true }
        guard errno == EXDEV else { throw SourceFile.fault(errno, "write", path) }
        let draft = try DraftFile(replacing: path)
        defer { draft.discard() }
        guard try read(stored, name: name, { try draft.write($0) }) == checksum else { return false }
        try draft.publish()
        return true
    }

    /// Whether a segment is here, as far as names tell.
    func has(_ name: WALFileName) -> Bool { entries().contains { $0.hasPrefix("\(name).") } }

    /// Makes a file for a segment.
    func makeDraft() throws(EngineError) -> DraftFile {
        if unsafe mkdir(folder, 0o700) != 0, errno != EEXIST { throw SourceFile.fault(errno, "make", folder) }
        return try DraftFile(replacing: "\(folder)/segment")
    }

    /// Takes in a segment that was fetched and proven.
    /// - Parameter checksum: CRC-32C of its bytes.
    func add(_ name: WALFileName, _ draft: DraftFile, checksum: UInt32) throws(EngineError) {
        try draft.publish(as: "\(folder)/\(name).\(String(checksum, radix: 16))")
    }

    /// Deletes all but some segments.
    func keepOnly(_ names: [WALFileName]) {
        for entry in entries() where !names.contains(where: { entry.hasPrefix("\($0).") }) {
            _ = unsafe unlink("\(folder)/\(entry)")
        }
        if names.isEmpty { _ = unsafe rmdir(folder) }
    }

    private func entries() -> [String] {
        (FolderContents.names(in: FilePath(folder)) ?? []).map { "\($0)" }
    }

    private func isYoung(_ path: String, now: Int) -> Bool {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return false }
        return (now - Self.lifetimeInSeconds...now + Self.lifetimeInSeconds).contains(status.st_mtim.tv_sec)
    }

    /// Hands out the bytes of a file.
    /// - Returns: their CRC-32C; nil when they are not of that segment, or there is no file.
    private func read(_ path: String, name: WALFileName, _ consume: (FrameBuffer) throws -> Void) throws -> UInt32? {
        guard let source = try? SourceFile(path) else { return nil }
        let buffer = FrameBuffer(capacity: 256 << 10)
        var checksum: UInt32 = 0
        var header: WALPageHeader?
        while true {
            try source.fill(buffer)
            guard buffer.count > 0 else { break }
            checksum = unsafe buffer.withUnsafeFilledBytes { unsafe pgm_crc32c(checksum, $0.baseAddress, $0.count) }
            if header == nil { header = unsafe buffer.withUnsafeFilledBytes { try? unsafe WALPageHeader($0) } }
            try consume(buffer)
        }
        guard let header, (try? WALFileCheck.require(header, fits: name, byteCount: source.byteCount)) != nil else {
            return nil
        }
        return checksum
    }
}
