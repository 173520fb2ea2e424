package import BackupAPI
import CEngine
import Glibc
import WALFormat

/// Segments that were fetched before PostgreSQL asked for them, in a folder beside where it wants them.
///
/// What is here was proven when it was fetched. A file has the segment's name and its CRC-32C in its own, and is believed only when
/// its bytes have that checksum, its header fits to the name, and it is not old. One process at a time fills the folder: who holds
/// the `SpoolLock`, in whose file stands what it brings.
package struct WALSpool: Sendable {
    /// How long a segment is of use: a recovery that went on later may have another archive.
    static let lifetimeInSeconds = 3600
    private static let lockName = "lock"
    private let folder: String

    /// A name for the spool of a server in a folder that it shares with others.
    /// - Parameter wanted: the folder in which segments are wanted: two copies of one cluster, each replaying, share nothing.
    package static func name(for server: String, of wanted: String, cryptography: any Cryptography) -> String {
        let digest = cryptography.makeDigest(.sha256)
        let bytes = Array(wanted.utf8)
        digest.update(unsafe bytes.span.bytes)
        return "\(server)-\(hexadecimal(Array(digest.finish().prefix(4))))"
    }

    /// - Parameter folder: is made when it is needed; the folder above it must be there.
    package init(folder: String) { self.folder = folder }

    /// Moves a segment to where it is wanted, if it is here.
    /// - Parameter now: seconds since 1970.
    /// - Returns: its size; nil when it is not here.
    func take(_ name: WALFileName, to path: String, now: Int) throws -> Int? {
        guard let own = entries().first(where: { $0.hasPrefix("\(name).") }) else { return nil }
        let stored = "\(folder)/\(own)"
        defer { _ = unsafe unlink(stored) }
        guard isYoung(stored, now: now) else { return nil }
        guard let checksum = UInt32(own.dropFirst(name.string.utf8.count + 1), radix: 16),
            let found = try read(stored, name: name, { _ in }), found.checksum == checksum
        else { return nil }
        if unsafe rename(stored, path) == 0 { return found.byteCount }
        // It may have been cleared away in the meantime.
        if errno == ENOENT { return nil }
        guard errno == EXDEV else { throw SourceFile.fault(errno, "write", path) }
        let draft = try DraftFile(replacing: path)
        defer { draft.discard() }
        guard try read(stored, name: name, { try draft.write($0) })?.checksum == checksum else { return nil }
        try draft.publish()
        return found.byteCount
    }

    /// The names of the segments that are here, as far as names tell.
    func segments() -> Set<String> {
        Set(entries().filter(Self.isSegment).map { String($0.prefix(24)) })
    }

    /// Makes a file for a segment.
    func makeDraft() throws(EngineError) -> DraftFile { try DraftFile(replacing: "\(folder)/segment") }

    /// Takes in a segment that was fetched and proven.
    /// - Parameter checksum: CRC-32C of its bytes.
    func add(_ name: WALFileName, _ draft: DraftFile, checksum: UInt32) throws(EngineError) {
        try draft.publish(as: "\(folder)/\(name).\(String(checksum, radix: 16))")
    }

    /// Makes the folder if need be, and takes the lock.
    /// - Returns: nil when another process has it.
    package func lock() throws(EngineError) -> SpoolLock? {
        if unsafe mkdir(folder, 0o700) != 0, errno != EEXIST { throw SourceFile.fault(errno, "make", folder) }
        guard isOwn else { throw EngineError(.fileUnusable, "'\(folder)' is not a folder of this user") }
        let path = "\(folder)/\(Self.lockName)"
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw SourceFile.fault(errno, "open", path) }
        let lock = SpoolLock(descriptor: descriptor)
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            guard errno != EWOULDBLOCK else { return nil }
            // Without locks, as on some network file systems, nothing is fetched ahead.
            let fault = SourceFile.fault(errno, "lock", path)
            _ = unsafe unlink(path)
            throw fault
        }
        // Somebody may have cleared the spool since the file was opened.
        guard lock.isWanted else { return nil }
        _ = ftruncate(descriptor, 0)
        return lock
    }

    /// Whether a process is at work here that brings a segment, or has not said yet what it brings.
    func isComing(_ name: WALFileName) -> Bool {
        let descriptor = unsafe open("\(folder)/\(Self.lockName)", O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        guard flock(descriptor, LOCK_SH | LOCK_NB) != 0, errno == EWOULDBLOCK else { return false }
        let announced = SpoolLock.text(of: descriptor)
        return announced.isEmpty || announced.contains(name.string)
    }

    /// Deletes all but some segments and the lock.
    func keepOnly(_ names: [WALFileName]) {
        for entry in entries()
        where entry != Self.lockName && !names.contains(where: { entry.hasPrefix("\($0).") }) {
            _ = unsafe unlink("\(folder)/\(entry)")
        }
    }

    /// Deletes all segments and the lock, and the folder if nothing else is there. A process that fills it ends when it finds that
    /// its lock is gone.
    func clear() {
        for entry in entries() { _ = unsafe unlink("\(folder)/\(entry)") }
        _ = unsafe rmdir(folder)
    }

    /// Ends the work of who has had the lock: what nobody wants any more is cleared away.
    func leave(_ lock: SpoolLock) {
        // Once the spool was cleared, a lock that is there is another process's.
        if lock.isWanted ? segments().isEmpty : !entries().contains(Self.lockName) { clear() }
    }

    /// Whether the folder is one, and this user's: a link may lead anywhere.
    private var isOwn: Bool {
        var status = stat()
        return unsafe lstat(folder, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR && status.st_uid == geteuid()
    }

    /// What a spool keeps in its folder; other files there are not its own.
    private func entries() -> [String] {
        guard isOwn else { return [] }
        return (FolderContents.names(in: FilePath(folder)) ?? []).map { "\($0)" }.filter { name in
            name == Self.lockName || name.hasPrefix(".pgmoneta-tmp-") || Self.isSegment(name)
        }
    }

    /// Whether a file's name is a segment's with a checksum.
    private static func isSegment(_ name: String) -> Bool {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 2 && WALFileName(String(parts[0]))?.kind == .segment && UInt32(parts[1], radix: 16) != nil
    }

    private func isYoung(_ path: String, now: Int) -> Bool {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return false }
        return (now - Self.lifetimeInSeconds...now + Self.lifetimeInSeconds).contains(status.st_mtim.tv_sec)
    }

    /// Hands out the bytes of a file.
    /// - Returns: their CRC-32C and count; nil when they are not of that segment, or there is no file.
    private func read(
        _ path: String, name: WALFileName, _ consume: (FrameBuffer) throws -> Void
    ) throws -> (checksum: UInt32, byteCount: Int)? {
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
        return (checksum, source.byteCount)
    }
}

/// The right to fill a spool. It goes to a process that inherits the descriptor, and ends with the last one that has it (flock(2)).
package final class SpoolLock: Sendable {
    private static let byteCount = 128
    /// The open file.
    package let descriptor: Int32

    /// Takes over an open file that is locked.
    package init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// Whether the file still has a name: who clears the spool wants no more.
    var isWanted: Bool {
        var status = stat()
        return unsafe fstat(descriptor, &status) == 0 && status.st_nlink > 0
    }

    /// Says which segments are being brought. Before it is called for the first time nobody knows.
    /// - Parameter names: at most four, and always written with the same length, so that a shorter list leaves nothing of a longer one.
    func announce(_ names: Set<String>) {
        let text = names.sorted().joined(separator: " ")
        let bytes = Array((text + String(repeating: " ", count: max(0, Self.byteCount - text.utf8.count))).utf8)
        // Sound: the bytes live for the call.
        _ = unsafe bytes.withUnsafeBytes { unsafe pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    }

    fileprivate static func text(of descriptor: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: byteCount)
        // Sound: `pread` writes at most as many bytes as there are.
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe pread(descriptor, $0.baseAddress, $0.count, 0) }
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }
}
