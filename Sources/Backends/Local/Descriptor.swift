import Glibc

/// An open file or folder, closed at the end of its life. Names given to it are single components below it, and symbolic
/// links are never followed (`O_NOFOLLOW`, `AT_SYMLINK_NOFOLLOW`: open(2), fstatat(2)).
///
/// The calls with `unsafe` hand a Swift string to C for the length of the call, which is sound.
struct Descriptor: ~Copyable {
    /// The number that system calls know it by.
    let number: Int32

    private init(_ number: Int32) { self.number = number }

    deinit { Glibc.close(number) }

    /// Opens a folder by its whole path. Here links are followed: the root of a target may be one.
    static func folder(atPath path: String) throws(SystemFault) -> Descriptor {
        Descriptor(
            try uninterrupted { unsafe Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) })
    }

    /// Opens a folder in this one.
    /// - Throws: `ELOOP` for a symbolic link, `ENOTDIR` for another kind of file.
    func folder(_ name: some StringProtocol) throws(SystemFault) -> Descriptor {
        let name = String(name)
        do throws(SystemFault) {
            let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
            return Descriptor(try uninterrupted { unsafe openat(number, name, flags) })
        } catch {
            // With O_DIRECTORY, Linux says ENOTDIR for a link.
            if error.code == ENOTDIR, let found = try? look(at: name), found.kind == .link { throw SystemFault(ELOOP) }
            throw error
        }
    }

    /// Opens a file in this folder for reading. It does not wait for the writer of a pipe.
    func file(_ name: String) throws(SystemFault) -> Descriptor {
        let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
        return Descriptor(try uninterrupted { unsafe openat(number, name, flags) })
    }

    /// Opens a file in this folder so that `lock` works on it wherever it is: NFS locks for one process alone only what is
    /// open for writing (flock(2), "NFS details").
    func lockableFile(_ name: String) throws(SystemFault) -> Descriptor {
        let flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
        return Descriptor(try uninterrupted { unsafe openat(number, name, flags) })
    }

    /// Makes a file in this folder that only its owner may read and write.
    /// - Throws: `EEXIST` when the name is taken.
    func newFile(_ name: String) throws(SystemFault) -> Descriptor {
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        return Descriptor(try uninterrupted { unsafe openat(number, name, flags, 0o600) })
    }

    /// Makes a folder in this one that only its owner may use.
    /// - Returns: false when the name is taken.
    func makeFolder(_ name: some StringProtocol) throws(SystemFault) -> Bool {
        let name = String(name)
        do throws(SystemFault) {
            try uninterrupted { unsafe mkdirat(number, name, 0o700) }
            return true
        } catch {
            guard error.code == EEXIST else { throw error }
            return false
        }
    }

    /// Removes a file.
    func remove(_ name: String) throws(SystemFault) {
        try uninterrupted { unsafe unlinkat(number, name, 0) }
    }

    /// Removes an empty folder.
    func removeFolder(_ name: some StringProtocol) throws(SystemFault) {
        let name = String(name)
        try uninterrupted { unsafe unlinkat(number, name, AT_REMOVEDIR) }
    }

    /// Gives a file another name in the same folder; what has that name is replaced in one step (rename(2)).
    func rename(_ name: String, to newName: String) throws(SystemFault) {
        try uninterrupted { unsafe renameat(number, name, number, newName) }
    }

    /// Gives a file a second name in the same folder (link(2)).
    /// - Throws: `EEXIST` when the name is taken.
    func link(_ name: String, as newName: String) throws(SystemFault) {
        try uninterrupted { unsafe linkat(number, name, number, newName, 0) }
    }

    /// Looks at this file.
    func look() throws(SystemFault) -> FileStatus {
        var status = stat()
        try uninterrupted { unsafe fstat(number, &status) }
        return FileStatus(status)
    }

    /// Looks at a name in this folder; a link is looked at itself.
    func look(at name: String) throws(SystemFault) -> FileStatus {
        var status = stat()
        try uninterrupted { unsafe fstatat(number, name, &status, AT_SYMLINK_NOFOLLOW) }
        return FileStatus(status)
    }

    /// Waits until the bytes of this file, or the names in this folder, are on the disk.
    func sync() throws(SystemFault) { try uninterrupted { fsync(number) } }

    /// Waits until the bytes of this file and its size are on the disk; its times may come later (fdatasync(2)).
    func syncBytes() throws(SystemFault) { try uninterrupted { fdatasync(number) } }

    /// Asks the kernel to begin writing a run of this file to the disk, and does not wait. Without `sync` nothing is promised.
    ///
    /// To say that the run is not needed in memory does it, and keeps what is not written yet (posix_fadvise(2)).
    func beginWriteback(offset: Int, count: Int) { _ = posix_fadvise(number, offset, count, POSIX_FADV_DONTNEED) }

    /// Locks the file for this opening of it; the lock ends with the descriptor, however the process ends (flock(2)).
    /// - Returns: whether it is locked now.
    func lock(waits: Bool) -> Bool {
        (try? uninterrupted { flock(number, waits ? LOCK_EX : LOCK_EX | LOCK_NB) }) != nil
    }

    /// Writes all bytes at the end of what was written.
    func write(_ bytes: UnsafeRawBufferPointer) throws(SystemFault) {
        var rest = unsafe bytes
        while unsafe !rest.isEmpty {
            // Sound: the kernel reads only `rest`, which lies in `bytes`.
            let count = try uninterrupted { unsafe Glibc.write(number, rest.baseAddress, rest.count) }
            unsafe rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }
}

/// What a file is, as far as this backend asks.
struct FileStatus {
    /// Kinds of files.
    enum Kind { case file, folder, link, other }

    /// The kind.
    let kind: Kind
    /// Bytes in it.
    let byteCount: Int
    /// How many names it has; 0 when it was removed.
    let nameCount: Int
    /// The file system and the number of the file in it.
    let identity: [UInt64]
    /// When its bytes changed, in seconds since 1970 by the clock of the file system's machine.
    let modifiedSeconds: Int

    /// Takes what stat(2) gave.
    init(_ status: stat) {
        switch status.st_mode & S_IFMT {
        case S_IFREG: kind = .file
        case S_IFDIR: kind = .folder
        case S_IFLNK: kind = .link
        default: kind = .other
        }
        byteCount = Int(status.st_size)
        nameCount = Int(status.st_nlink)
        identity = [UInt64(status.st_dev), UInt64(status.st_ino)]
        modifiedSeconds = status.st_mtim.tv_sec
    }
}
