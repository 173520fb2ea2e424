import CEngine
import Glibc
import Synchronization

/// The folder in which the WAL of one server waits until it is on every target.
///
/// `<segment>.receiving` is being written; any other file is complete, durable, and has the name that PostgreSQL gives it when it
/// archives. One process at a time has the folder.
package final class WALInbox: Sendable {
    static let unfinishedSuffix = ".receiving"
    /// Absolute.
    package let folder: String
    private let lock: Int32
    /// Tells the upload that something was finished.
    let arrivals = Mailbox<Void>()

    /// Makes the folder where it is not there, readable by its owner alone, and takes it.
    /// - Throws: `.busy` when another process has it; `.directoryUnusable`.
    package init(folder: String) throws(EngineError) {
        self.folder = folder
        var path = ""
        for part in folder.split(separator: "/") {
            let parent = path.isEmpty ? "/" : path
            path += "/" + part
            if unsafe mkdir(path, 0o700) == 0 {
                try Self.synchronize(parent)
            } else if errno != EEXIST, errno != EISDIR {
                throw FileFault.error(errno, "make", path)
            }
        }
        let lockPath = folder + "/.lock"
        lock = unsafe open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard lock >= 0 else { throw FileFault.error(errno, "make", lockPath) }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            close(lock)
            throw EngineError(.busy, "another process receives WAL into '\(folder)'")
        }
    }

    deinit { close(lock) }

    /// Lets another process take the folder. No call follows.
    package func release() { flock(lock, LOCK_UN) }

    /// The names of complete files, in the order in which they are to be stored.
    package func finished() throws(EngineError) -> [String] {
        try names().filter { !$0.hasSuffix(Self.unfinishedSuffix) }.sorted()
    }

    /// The segment that was being written last; nil when there is none.
    func unfinished() throws(EngineError) -> String? {
        try names().filter { $0.hasSuffix(Self.unfinishedSuffix) }.max()
            .map { String($0.dropLast(Self.unfinishedSuffix.count)) }
    }

    /// Bytes of all files.
    package func byteCount() throws(EngineError) -> Int {
        var sum = 0
        for name in try names() {
            var status = stat()
            // Sound: stat(2) fills the structure during the call. A file that is just going does not count.
            if unsafe stat(path(name), &status) == 0 { sum += Int(status.st_blocks) * 512 }
        }
        return sum
    }

    /// Bytes that the file system has to give.
    func freeByteCount() -> Int {
        var status = statvfs()
        guard unsafe statvfs(folder, &status) == 0 else { return .max }
        return Int(clamping: status.f_bavail.multipliedFullWidth(by: status.f_frsize).low)
    }

    package func path(_ name: String) -> String { folder + "/" + name }

    /// Puts a small complete file into the folder, durable when this returns.
    func put(_ name: String, _ bytes: [UInt8]) throws(EngineError) {
        let draft = path(".\(name).new")
        let descriptor = unsafe open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw FileFault.error(errno, "write", draft) }
        defer { close(descriptor) }
        // Sound: the bytes live for the call.
        let count = unsafe bytes.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
        guard count == bytes.count, fsync(descriptor) == 0 else { throw FileFault.error(errno, "write", draft) }
        try publish(draft, as: name)
    }

    /// Gives a complete file its name, durable when this returns, and tells the upload.
    func publish(_ draft: String, as name: String) throws(EngineError) {
        guard unsafe rename(draft, path(name)) == 0 else { throw FileFault.error(errno, "name", path(name)) }
        try synchronize()
        arrivals.send(())
    }

    /// Removes a file that is on every target.
    package func remove(_ name: String) throws(EngineError) {
        guard unsafe unlink(path(name)) == 0 || errno == ENOENT else {
            throw FileFault.error(errno, "remove", path(name))
        }
    }

    /// Makes changes of names durable.
    func synchronize() throws(EngineError) { try Self.synchronize(folder) }

    private static func synchronize(_ folder: String) throws(EngineError) {
        let descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileFault.error(errno, "open", folder) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw FileFault.error(errno, "sync", folder) }
    }

    private func names() throws(EngineError) -> [String] {
        guard let listing = unsafe opendir(folder) else { throw FileFault.error(errno, "read", folder) }
        defer { unsafe closedir(listing) }
        var names: [String] = []
        while let entry = unsafe readdir(listing) {
            let name = unsafe withUnsafePointer(to: entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names
    }
}
