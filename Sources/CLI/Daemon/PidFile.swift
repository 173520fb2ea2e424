import BackupCLI
import Glibc

/// A file with the daemon's process id, locked as long as the daemon runs.
struct PidFile {
    private let path: String
    private let descriptor: Int32

    /// - Throws: when another daemon has the file, or it cannot be written.
    init(_ path: String) throws {
        self.path = path
        descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { throw Self.fault(path) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw CommandError(
                .fileFailed, "another daemon has the pidfile '\(path)'",
                remedy: "End it, or give this one a configuration of its own.")
        }
        let text = Array("\(getpid())\n".utf8)
        // Sound: the bytes live for the call.
        let count = unsafe text.withUnsafeBytes { unsafe pwrite(descriptor, $0.baseAddress, $0.count, 0) }
        guard count == text.count, ftruncate(descriptor, text.count) == 0 else {
            close(descriptor)
            throw Self.fault(path)
        }
    }

    /// Removes the file.
    func remove() {
        _ = unsafe unlink(path)
        close(descriptor)
    }

    private static func fault(_ path: String) -> CommandError {
        CommandError(
            .fileFailed, "the pidfile '\(path)' cannot be written (\(unsafe String(cString: strerror(errno))))",
            remedy: "Set 'pidfile' to a path in a directory that the daemon may write.")
    }
}
