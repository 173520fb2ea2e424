import CEngine
import Glibc
import Synchronization

/// Writes a snapshot into folders: what a restore is.
///
/// `global/pg_control` is written under another name and gets its own as the last step: a PostgreSQL does not start on a
/// directory that is not complete.
package final class DirectorySink: SnapshotSink {
    private static let controlPath = "global/pg_control"
    private static let controlSuffix = ".pgmoneta-restore"
    private let snapshot: Snapshot
    private let target: RestoreTarget
    private let owner: FileOwner?
    private let paths: [String]
    private let provenChecksums: Mutex<[UInt32]>

    /// - Parameter owner: who shall own the files, when this process may decide it.
    package init(snapshot: Snapshot, target: RestoreTarget, owner: FileOwner?) throws {
        self.snapshot = snapshot
        self.target = target
        self.owner = owner
        provenChecksums = Mutex(Array(repeating: 0, count: snapshot.files.count))
        paths = try snapshot.files.map { file in
            let path = try target.path(file.root, file.path)
            let isControl = file.root == .data && file.path == Self.controlPath
            return isControl ? path + Self.controlSuffix : path
        }
    }

    /// Makes folders, links and empty files.
    package func prepare() throws {
        for folder in snapshot.folders {
            let path = try target.path(folder.root, folder.path)
            // PostgreSQL itself asks for 0700 or 0750 (documentation, "Creating a Database Cluster").
            if unsafe mkdir(path, mode_t(folder.mode & 0o750 | 0o700)) != 0, errno != EEXIST {
                throw FileFault.error(errno, "make", path)
            }
            try own(path)
        }
        for link in snapshot.links {
            let path = try target.path(link.root, link.path)
            let parts = link.path.split(separator: "/")
            guard link.root == .data, parts.count == 2, parts[0] == "pg_tblspc",
                let folder = target.tablespaces[String(parts[1])]
            else { throw EngineError(.tablespaceUnusable, "the link '\(link.path)' is not a tablespace's") }
            if unsafe symlink(folder, path) != 0 { throw FileFault.error(errno, "link", path) }
            try own(path)
        }
        let written = snapshot.endOffsets
        for (index, file) in snapshot.files.enumerated() where written[index] < file.byteCount || file.byteCount == 0 {
            let descriptor = try open(index, offset: 0)
            defer { close(descriptor) }
            guard ftruncate(descriptor, file.byteCount) == 0 else {
                throw FileFault.error(errno, "extend", paths[index])
            }
        }
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
                throw FileFault.error(errno, "write", paths[file])
            }
            written += count
        }
        if bytes.count >= 1 << 18 { _ = pgm_begin_writeback(descriptor, Int64(offset), Int64(bytes.count)) }
    }

    package func proven(file: Int, checksum: UInt32) throws { provenChecksums.withLock { $0[file] = checksum } }

    /// Makes all of it durable, then gives `pg_control` its name and makes that durable too.
    package func finish() throws {
        for root in target.roots { try Self.sync(root, wholeFileSystem: true) }
        let control = target.dataDirectory + "/" + Self.controlPath
        if unsafe rename(control + Self.controlSuffix, control) != 0 { throw FileFault.error(errno, "name", control) }
        try Self.sync(target.dataDirectory + "/global", wholeFileSystem: false)
        try Self.sync(target.dataDirectory, wholeFileSystem: false)
    }

    private func open(_ file: Int, offset: Int) throws -> Int32 {
        let path = paths[file]
        let descriptor = unsafe Glibc.open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileFault.error(errno, "write", path) }
        if offset == 0, let owner, fchown(descriptor, owner.user, owner.group) != 0 {
            let number = errno
            close(descriptor)
            throw FileFault.error(number, "give away", path)
        }
        return descriptor
    }

    private func own(_ path: String) throws {
        if let owner, unsafe lchown(path, owner.user, owner.group) != 0 {
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
