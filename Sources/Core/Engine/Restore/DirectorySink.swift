import CEngine
import Glibc
import Synchronization

/// Writes a snapshot into folders: what a restore is.
///
/// `global/pg_control` is written under another name and gets its own as the last step: a PostgreSQL does not start on a
/// directory that is not complete.
package final class DirectorySink: SnapshotSink {
    static let controlPath = "global/pg_control"
    private static let controlSuffix = ".pgmoneta-restore"
    private let snapshot: Snapshot
    private let target: RestoreTarget
    private let owner: FileOwner?
    private let modes: RestoredModes
    private let provenChecksums: Mutex<[UInt32]>
    /// Path and destination of each link.
    private let links: [(path: FilePath, destination: String)]
    /// Files that do not come in one piece: their times are set when all is written. For the others that costs nothing, because
    /// the file is open anyway.
    private let inPieces = Mutex<Set<Int>>([])

    /// Decides where everything goes; nothing is written.
    /// - Parameter owner: who shall own the files, when this process may decide it.
    /// - Throws: `.tablespaceUnusable` for what has no place.
    package init(snapshot: Snapshot, target: RestoreTarget, owner: FileOwner?) throws {
        self.snapshot = snapshot
        self.target = target
        self.owner = owner
        provenChecksums = Mutex(Array(repeating: 0, count: snapshot.files.count))
        modes = RestoredModes(snapshot)
        // Paths are made when they are needed: all of them at once are the largest thing that a restore would hold.
        for file in snapshot.files { _ = try target.folder(of: file.root) }
        links = try snapshot.links.map { link in
            let parts = link.path.split(separator: "/")
            guard link.root == .data, parts.count == 2, parts[0] == "pg_tblspc",
                let folder = target.tablespaces[String(parts[1])]
            else { throw EngineError(.tablespaceUnusable, "the link '\(link.path)' is not a tablespace's") }
            return (try target.path(link.root, link.path), folder)
        }
    }

    /// Makes folders, links and empty files.
    package func prepare() throws {
        for folder in snapshot.folders {
            let path = try target.path(folder.root, folder.path)
            let mode = modes.folder(folder.mode)
            // Sound, here and below: a path's characters end with a zero, and live for the length of the call.
            if unsafe mkdir(path.characters, mode) != 0, errno != EEXIST {
                throw FileFault.error(errno, "make", path)
            }
            // The umask may have taken the group's bits.
            if mode != 0o700, unsafe chmod(path.characters, mode) != 0 {
                throw FileFault.error(errno, "set the mode of", path)
            }
            try own(path)
        }
        for link in links {
            if unsafe symlink(link.destination, link.path.characters) != 0 {
                throw FileFault.error(errno, "link", link.path)
            }
            try own(link.path)
        }
        // A file with zeros that come in no piece is emptied first: it may be there already, with something else in their place.
        let coming = snapshot.comingByteCounts
        for (index, file) in snapshot.files.enumerated() where coming[index] < file.byteCount || file.byteCount == 0 {
            let descriptor = try open(index, offset: 0)
            defer { close(descriptor) }
            guard ftruncate(descriptor, 0) == 0, ftruncate(descriptor, file.byteCount) == 0 else {
                throw FileFault.error(errno, "extend", try path(of: index))
            }
            try setTime(of: index, descriptor)
        }
    }

    /// Gives files that are there already their sizes, modes and owners.
    func resize() throws {
        for (index, file) in snapshot.files.enumerated() {
            let descriptor = try open(index, offset: 0)
            defer { close(descriptor) }
            guard ftruncate(descriptor, file.byteCount) == 0 else {
                throw FileFault.error(errno, "resize", try path(of: index))
            }
            inPieces.withLock { _ = $0.insert(index) }
        }
    }

    /// Reads what is in a file already.
    /// - Returns: how many bytes there are from `offset` on, up to the buffer's size.
    func read(into buffer: UnsafeMutableRawBufferPointer, file: Int, offset: Int) throws -> Int {
        let path = try path(of: file)
        let descriptor = unsafe Glibc.open(path.characters, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileFault.error(errno, "read", path) }
        defer { close(descriptor) }
        var filled = 0
        while filled < buffer.count {
            let count = unsafe pread(
                descriptor, buffer.baseAddress.map { unsafe $0 + filled }, buffer.count - filled, offset + filled)
            if count < 0, errno == EINTR { continue }
            // What cannot be read is written.
            if count <= 0 { break }
            filled += count
        }
        return filled
    }

    /// CRC-32C of each file that was proven.
    var checksums: [UInt32] { provenChecksums.withLock { $0 } }

    package func piece(_ bytes: UnsafeRawBufferPointer, file: Int, offset: Int) throws {
        let descriptor = try open(file, offset: offset)
        defer { close(descriptor) }
        var written = 0
        while written < bytes.count {
            let count = unsafe pwrite(
                descriptor, bytes.baseAddress.map { unsafe $0 + written }, bytes.count - written, offset + written)
            if count < 0 {
                if errno == EINTR { continue }
                throw FileFault.error(errno, "write", try path(of: file))
            }
            written += count
        }
        if bytes.count == snapshot.files[file].byteCount {
            try setTime(of: file, descriptor)
        } else {
            inPieces.withLock { _ = $0.insert(file) }
        }
        if bytes.count >= 1 << 18 { _ = pgm_begin_writeback(descriptor, Int64(offset), Int64(bytes.count)) }
    }

    package func proven(file: Int, checksum: UInt32) throws { provenChecksums.withLock { $0[file] = checksum } }

    /// Makes all of it durable, then gives `pg_control` its name and makes that durable too.
    package func finish() throws {
        for file in inPieces.withLock({ $0 }) {
            let descriptor = try open(file, offset: 1)
            defer { close(descriptor) }
            try setTime(of: file, descriptor)
        }
        for root in target.roots { try Self.sync(root, wholeFileSystem: true) }
        let control = target.dataDirectory + "/" + Self.controlPath
        if unsafe rename(control + Self.controlSuffix, control) != 0 { throw FileFault.error(errno, "name", control) }
        try Self.sync(target.dataDirectory + "/global", wholeFileSystem: false)
        try Self.sync(target.dataDirectory, wholeFileSystem: false)
    }

    /// Gives an open file the time of modification that was recorded.
    private func setTime(of file: Int, _ descriptor: Int32) throws {
        let time = timespec(tv_sec: Int(snapshot.files[file].modifiedAt), tv_nsec: 0)
        // Sound: futimens(2) reads two times, of access and of modification, during the call.
        if unsafe futimens(descriptor, [time, time]) != 0 {
            throw FileFault.error(errno, "set the time of", try path(of: file))
        }
    }

    private func path(of file: Int) throws -> FilePath {
        let file = snapshot.files[file]
        let path = try target.path(file.root, file.path)
        return file.root == .data && file.path == Self.controlPath ? path.extended(by: Self.controlSuffix) : path
    }

    private func open(_ file: Int, offset: Int) throws -> Int32 {
        let path = try path(of: file)
        let mode = modes.file(snapshot.files[file].mode, in: snapshot.files[file].root)
        let descriptor = unsafe Glibc.open(path.characters, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw FileFault.error(errno, "write", path) }
        // Once for each file is enough; the umask may have taken the group's bit.
        guard offset == 0 else { return descriptor }
        if mode != 0o600, fchmod(descriptor, mode) != 0 {
            throw closing(descriptor, FileFault.error(errno, "set the mode of", path))
        }
        if let owner, fchown(descriptor, owner.user, owner.group) != 0 {
            throw closing(descriptor, FileFault.error(errno, "give away", path))
        }
        return descriptor
    }

    private func closing(_ descriptor: Int32, _ error: EngineError) -> EngineError {
        close(descriptor)
        return error
    }

    private func own(_ path: FilePath) throws {
        if let owner, unsafe lchown(path.characters, owner.user, owner.group) != 0 {
            throw FileFault.error(errno, "give away", path)
        }
    }

    private static func sync(_ folder: String, wholeFileSystem: Bool) throws {
        let descriptor = unsafe Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileFault.error(errno, "open", folder) }
        defer { close(descriptor) }
        if (wholeFileSystem ? pgm_syncfs(descriptor) : fsync(descriptor)) != 0 {
            throw FileFault.error(errno, "sync", folder)
        }
    }
}
