import Glibc

/// Small files as a whole: configuration, keys, users. Every write is durable and all or nothing.
package enum SmallFile {
    /// No file that this program reads as a whole is larger.
    package static let largestByteCount = 16 << 20

    /// What is known about an open file.
    package struct Contents: Sendable {
        /// All of it.
        package let bytes: [UInt8]
        /// The permission bits.
        package let permissions: UInt32
        /// The owner's user id.
        package let owner: UInt32
    }

    /// Reads a file; nil when there is none.
    package static func read(_ path: String) throws(CommandError) -> Contents? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw .file("read", path, errno: errno)
        }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw .file("read", path, errno: errno) }
        guard status.st_mode & S_IFMT != S_IFDIR else { throw .file("read", path, errno: EISDIR) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            // `read` writes at most `count` bytes into the buffer, which outlives the call.
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .file("read", path, errno: errno) }
            guard count > 0 else { break }
            bytes += buffer[..<count]
            guard bytes.count <= largestByteCount else { throw .file("read", path, errno: EFBIG) }
        }
        return Contents(bytes: bytes, permissions: status.st_mode & 0o7777, owner: status.st_uid)
    }

    /// Creates a file of mode 0600 that was not there.
    /// - Returns: false, with nothing changed, when there is one already.
    package static func create(_ path: String, _ bytes: [UInt8]) throws(CommandError) -> Bool {
        let temporary = try writeTemporary(path, bytes)
        defer { _ = unsafe unlink(temporary) }
        // link(2) fails when the name exists, so that nothing is ever overwritten and never half written.
        guard unsafe link(temporary, path) == 0 else {
            if errno == EEXIST { return false }
            throw .file("create", path, errno: errno)
        }
        try synchronizeDirectory(of: path)
        return true
    }

    /// Replaces a file, or creates it, with mode 0600.
    package static func replace(_ path: String, _ bytes: [UInt8]) throws(CommandError) {
        let temporary = try writeTemporary(path, bytes)
        guard unsafe rename(temporary, path) == 0 else {
            let number = errno
            _ = unsafe unlink(temporary)
            throw .file("replace", path, errno: number)
        }
        try synchronizeDirectory(of: path)
    }

    /// Replaces a file that is there; its mode and owner stay.
    static func rewrite(_ path: String, _ bytes: [UInt8]) throws(CommandError) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { throw .file("replace", path, errno: errno) }
        let temporary = try writeTemporary(path, bytes)
        // The owner first: a change of it takes rights away.
        guard unsafe chown(temporary, status.st_uid, status.st_gid) == 0,
            unsafe chmod(temporary, status.st_mode & 0o7777) == 0, unsafe rename(temporary, path) == 0
        else {
            let number = errno
            _ = unsafe unlink(temporary)
            throw .file("replace", path, errno: number)
        }
        try synchronizeDirectory(of: path)
    }

    /// Runs `body` while no other program of ours changes files in the same directory.
    package static func lockingDirectory<Result>(
        of path: String, _ body: () throws(CommandError) -> Result
    ) throws(CommandError) -> Result {
        let directory = directory(of: path)
        let descriptor = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .file("open", directory, errno: errno) }
        defer { close(descriptor) }
        while flock(descriptor, LOCK_EX) != 0 {
            guard errno == EINTR else { throw .file("lock", directory, errno: errno) }
        }
        return try body()
    }

    /// The directory that a path's last part is in.
    package static func directory(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func writeTemporary(_ path: String, _ bytes: [UInt8]) throws(CommandError) -> String {
        let temporary = "\(path).\(String(UInt64.random(in: .min ... .max), radix: 36)).tmp"
        let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .file("write", path, errno: errno) }
        do throws(CommandError) {
            defer { close(descriptor) }
            var offset = 0
            while offset < bytes.count {
                // The bytes outlive the call, which reads at most as many as are left.
                let count = unsafe bytes.withUnsafeBytes {
                    unsafe Glibc.write(descriptor, $0.baseAddress.map { unsafe $0 + offset }, $0.count - offset)
                }
                if count < 0, errno == EINTR { continue }
                guard count >= 0 else { throw .file("write", path, errno: errno) }
                offset += count
            }
            guard fsync(descriptor) == 0 else { throw .file("write", path, errno: errno) }
        } catch {
            _ = unsafe unlink(temporary)
            throw error
        }
        return temporary
    }

    private static func synchronizeDirectory(of path: String) throws(CommandError) {
        let directory = directory(of: path)
        let descriptor = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .file("open", directory, errno: errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .file("write", directory, errno: errno) }
    }
}
