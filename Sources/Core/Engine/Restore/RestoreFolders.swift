import CEngine
import Glibc

/// The folders that a restore fills: made or found empty, and emptied again when it fails.
struct RestoreFolders {
    private let target: RestoreTarget
    /// Those that are there and are not empty.
    private let occupied: [String]
    /// Who shall own what is written; nil unless this process may give files away.
    let owner: FileOwner?

    /// Whether what is in the folders is deleted before they are filled.
    private let replaces: Bool

    /// Looks at the folders for a restore into empty ones; nothing is changed.
    /// - Parameters:
    ///   - replaces: whether what is in them may be deleted.
    ///   - mapping: the folders of tablespaces that were asked for by name, by their old ones.
    /// - Throws: `.directoryNotEmpty` when it may not; `.directoryUnusable`.
    static func forNew(
        _ target: RestoreTarget, replaces: Bool, mapping: [String: String]
    ) throws -> RestoreFolders {
        let folders = try RestoreFolders(target, mapping: mapping, replaces: true)
        if !replaces, let root = folders.occupied.first { throw EngineError(.directoryNotEmpty, "'\(root)'") }
        return folders
    }

    /// Looks at the folders for a restore into a data directory that is there; nothing is changed.
    /// - Parameter mapping: the folders of tablespaces that were asked for by name, or that the directory links to.
    /// - Throws: `.directoryUnusable` when it is none.
    static func forUpdate(_ target: RestoreTarget, mapping: [String: String]) throws -> RestoreFolders {
        let folders = try RestoreFolders(target, mapping: mapping, replaces: false)
        guard unsafe access(target.dataDirectory + "/PG_VERSION", F_OK) == 0 else {
            throw EngineError(
                .directoryUnusable, "'\(target.dataDirectory)' is not a data directory of PostgreSQL",
                remedy: "Leave --delta away to restore into a new directory.")
        }
        return folders
    }

    private init(_ target: RestoreTarget, mapping: [String: String], replaces: Bool) throws {
        self.target = target
        self.replaces = replaces
        for root in target.roots { try Self.requireNoLink(root) }
        owner = try Self.owner(of: Self.parent(of: target.dataDirectory))
        occupied = try target.roots.filter { try !Self.names(in: $0).isEmpty }
        for root in occupied { try Self.requireNoServer(root) }
        for outer in target.roots {
            if let inner = target.roots.first(where: { $0.utf8.starts(with: "\(outer)/".utf8) }) {
                throw EngineError(.tablespaceUnusable, "'\(inner)' is inside '\(outer)', which is filled by itself")
            }
        }
        // Where a tablespace stood there may be the tablespace of a server that runs; nothing in the folder tells.
        let named = Set(mapping.values)
        for root in occupied where root != target.dataDirectory && !named.contains(root) {
            throw EngineError(
                .directoryNotEmpty, "'\(root)', where the tablespace stood on the server",
                remedy: "Name another folder, or this one if it may be emptied, with --tablespace-mapping \(root)=NEW.")
        }
    }

    /// Whether something will be deleted.
    var replacesAny: Bool { replaces && !occupied.isEmpty }

    /// The folder of each tablespace: where it stood, or what the mapping says.
    static func tablespaces(_ snapshot: Snapshot, mapping: [String: String]) throws -> [String: String] {
        var folders: [String: String] = [:]
        var unused = Set(mapping.keys)
        for tablespace in snapshot.record.tablespaces {
            unused.remove(tablespace.location)
            folders[String(tablespace.oid)] = mapping[tablespace.location] ?? tablespace.location
        }
        if let wrong = unused.sorted().first {
            let known = snapshot.record.tablespaces.map(\.location).joined(separator: ", ")
            throw EngineError(
                .tablespaceUnusable, "the backup has no tablespace at '\(wrong)'",
                remedy: known.isEmpty ? "Leave --tablespace-mapping away." : "Its tablespaces stood at: \(known).")
        }
        if let taken = Dictionary(grouping: folders.values, by: { $0 }).first(where: { $0.value.count > 1 }) {
            throw EngineError(.tablespaceUnusable, "two tablespaces would share '\(taken.key)'")
        }
        return folders
    }

    /// - Throws: `.noSpace` when the file system of the data directory has less room than is needed, with that of what will be
    ///   deleted there.
    func requireRoom(_ byteCount: Int) throws {
        guard target.tablespaces.isEmpty else { return }
        var status = statvfs()
        let places = [target.dataDirectory, Self.parent(of: target.dataDirectory)]
        guard places.contains(where: { unsafe statvfs($0, &status) == 0 }) else { return }
        let free = Int(status.f_bavail) * Int(status.f_frsize)
        let room = occupied.reduce(free) { $0 + Self.storedByteCount(of: FilePath($1)) }
        guard room > byteCount else {
            throw EngineError(
                .noSpace,
                "'\(target.dataDirectory)' has \(room >> 20) MiB free, the restore needs \(byteCount >> 20) MiB")
        }
    }

    /// Makes the folders that are missing; when that is done, deletes what is in the others.
    /// - Parameter mode: what all of them get.
    func make(mode: mode_t) throws {
        for root in target.roots {
            if unsafe mkdir(root, mode) != 0 {
                guard errno == EEXIST else { throw FileFault.error(errno, "make", root) }
                // Somebody may have filled it since the first look.
                if !occupied.contains(root), try !Self.names(in: root).isEmpty {
                    throw EngineError(.directoryNotEmpty, "'\(root)'")
                }
            }
            guard unsafe chmod(root, mode) == 0 else { throw FileFault.error(errno, "set the mode of", root) }
            if let owner, unsafe chown(root, owner.user, owner.group) != 0 {
                throw FileFault.error(errno, "give away", root)
            }
        }
        for root in occupied where replaces {
            Self.emptyRoot(root)
            if let name = FolderContents.names(in: FilePath(root))?.first {
                throw EngineError(.directoryUnusable, "cannot delete '\(FilePath(root).appending(name))'")
            }
        }
    }

    /// Deletes what is in the folders. It does not throw: it runs when something else has failed already.
    func clear() { for root in target.roots { Self.emptyRoot(root) } }

    /// What is in a folder; nothing when it is not there.
    private static func names(in root: String) throws -> [String] {
        guard root.hasPrefix("/") else { throw EngineError(.directoryUnusable, "'\(root)' is not an absolute path") }
        if let names = FolderContents.names(in: FilePath(root)) { return names }
        guard errno == ENOENT else { throw FileFault.error(errno, "read", root) }
        return []
    }

    /// A link planted where a privileged restore will write would lead it elsewhere.
    private static func requireNoLink(_ root: String) throws {
        var status = stat()
        if unsafe lstat(root, &status) == 0, status.st_mode & S_IFMT == S_IFLNK {
            throw EngineError(.directoryUnusable, "'\(root)' is a symbolic link", remedy: "Name the folder itself.")
        }
    }

    private static func requireNoServer(_ root: String) throws {
        guard unsafe access(root + "/postmaster.pid", F_OK) != 0 else {
            throw EngineError(
                .directoryUnusable, "a PostgreSQL server seems to run on '\(root)' (postmaster.pid)",
                remedy: "Stop the server, or delete postmaster.pid if none runs.")
        }
    }

    /// What the files in a folder take on the disk.
    private static func storedByteCount(of folder: FilePath) -> Int {
        (FolderContents.names(in: folder) ?? []).reduce(0) { sum, name in
            var status = stat()
            let path = folder.appending(name)
            guard unsafe lstat(path.characters, &status) == 0 else { return sum }
            let own = sum + Int(status.st_blocks) * 512
            return status.st_mode & S_IFMT == S_IFDIR ? own + storedByteCount(of: path) : own
        }
    }

    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return "/" }
        return String(path[..<slash])
    }

    /// The owner of a folder, when this process is the superuser and the owner is somebody else: PostgreSQL runs as nobody's root.
    private static func owner(of folder: String) throws -> FileOwner? {
        var status = stat()
        guard unsafe stat(folder, &status) == 0 else { throw FileFault.error(errno, "find", folder) }
        return geteuid() == 0 && status.st_uid != 0 ? FileOwner(user: status.st_uid, group: status.st_gid) : nil
    }

    /// Deletes what is in a root, `pg_control` first and durably: when this is cut short, no PostgreSQL starts on what is left.
    private static func emptyRoot(_ root: String) {
        FolderContents.removeControlFile(of: root)
        FolderContents.empty(FilePath(root))
    }
}
