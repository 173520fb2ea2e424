import BackupAPI
import CEngine
import Glibc
import WALFormat

/// Segments that were fetched before PostgreSQL asked for them, in a folder beside where it wants them.
///
/// A file there has the segment's name and its SHA-512 in its own, and is believed only when its bytes have that digest, its header
/// fits to the name, and it is not old. Whatever is not wanted any more is deleted.
struct WALSpool {
    /// How long a segment is of use: a recovery that went on later may have another archive.
    static let lifetimeInSeconds = 3600
    private let folder: String
    private let cryptography: any Cryptography

    /// - Parameter folder: is made when it is needed; the folder above it must be there.
    init(folder: String, cryptography: any Cryptography) {
        self.folder = folder
        self.cryptography = cryptography
    }

    /// Moves a segment to where it is wanted, if it is here.
    /// - Parameter now: seconds since 1970.
    /// - Returns: whether it is there now.
    func take(_ name: WALFileName, to path: String, now: Int) throws -> Bool {
        guard let own = entries().first(where: { $0.hasPrefix("\(name).") }) else { return false }
        let stored = "\(folder)/\(own)"
        defer { _ = unsafe unlink(stored) }
        guard isYoung(stored, now: now) else { return false }
        let draft = try DraftFile(replacing: path)
        defer { draft.discard() }
        guard try copy(stored, name: name, sha512: String(own.dropFirst(name.string.utf8.count + 1)), to: draft) else {
            return false
        }
        try draft.publish()
        return true
    }

    /// Whether a segment is here, as far as names tell.
    func has(_ name: WALFileName) -> Bool { entries().contains { $0.hasPrefix("\(name).") } }

    /// Makes a file that becomes a segment of the spool when it is published.
    func makeDraft(_ record: ArchivedWAL) throws(EngineError) -> DraftFile {
        if unsafe mkdir(folder, 0o700) != 0, errno != EEXIST { throw SourceFile.fault(errno, "make", folder) }
        return try DraftFile(replacing: "\(folder)/\(record.name).\(record.sha512)")
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

    private func copy(_ path: String, name: WALFileName, sha512: String, to draft: DraftFile) throws -> Bool {
        let source: SourceFile
        do throws(EngineError) {
            source = try SourceFile(path)
        } catch {
            return false
        }
        let digest = cryptography.makeDigest(.sha512)
        let buffer = FrameBuffer(capacity: 256 << 10)
        var header: WALPageHeader?
        while true {
            try source.fill(buffer)
            guard buffer.count > 0 else { break }
            buffer.withBytes { digest.update($0) }
            if header == nil { header = unsafe buffer.withUnsafeFilledBytes { try? unsafe WALPageHeader($0) } }
            try draft.write(buffer)
        }
        guard let header, (try? WALFileCheck.require(header, fits: name, byteCount: source.byteCount)) != nil else {
            return false
        }
        return hexadecimal(digest.finish()) == sha512
    }
}
