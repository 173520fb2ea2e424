import CEngine
import Glibc

/// A file that is being written beside the place where it will be, readable by its owner alone until it is published.
///
/// One task writes it. A run that is killed leaves a hidden file `.pgmoneta-tmp-…`, which nobody needs.
final class DraftFile: @unchecked Sendable {
    // Sound: only the task that writes the file uses it.
    private let path: String
    private let temporary: String
    private var descriptor: Int32
    /// Bytes written so far.
    private(set) var byteCount = 0

    /// Makes an empty file with a name of its own.
    /// - Throws: `.fileExists` when there is something at `path`.
    convenience init(for path: String) throws(EngineError) {
        var status = stat()
        guard unsafe lstat(path, &status) != 0 else { throw Self.exists(path) }
        try self.init(replacing: path)
    }

    /// Makes an empty file with a name of its own, for a path where something may be.
    init(replacing path: String) throws(EngineError) {
        let name = ".pgmoneta-tmp-\(getpid())-\(String(UInt64.random(in: .min ... .max), radix: 36))"
        self.path = path
        temporary = Self.folder(of: path) + "/" + name
        descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw SourceFile.fault(errno, "write", path) }
    }

    /// Appends bytes.
    func write(_ bytes: RawSpan) throws(EngineError) {
        var offset = 0
        while offset < bytes.byteCount {
            // Sound: `write` reads at most the bytes that are left, and they live for the call.
            let count = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.write(descriptor, $0.baseAddress.map { unsafe $0 + offset }, $0.count - offset)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw SourceFile.fault(errno, "write", path) }
            offset += count
        }
        byteCount += offset
    }

    /// Appends bytes.
    func write(_ bytes: [UInt8]) throws(EngineError) {
        // Sound: the span does not outlive the call.
        try write(unsafe bytes.span.bytes)
    }

    /// Appends what a buffer holds.
    func write(_ buffer: FrameBuffer) throws(EngineError) {
        try buffer.withBytes { (bytes: RawSpan) throws(EngineError) in try write(bytes) }
    }

    /// Gives the file its name, with the mode, times and owner of its source. It is durable when this returns.
    /// - Throws: `.fileExists` when there is something by now; it is not touched.
    func publish(like source: SourceFile) throws(EngineError) {
        let status = source.status
        // In some folders a new file is not of its maker's group.
        var own = stat()
        guard unsafe fstat(descriptor, &own) == 0 else { throw SourceFile.fault(errno, "write", path) }
        let isOwned = status.user == own.st_uid && status.group == own.st_gid
        // Where the owner cannot be kept, the group's rights and set-id bits are not given to others.
        let keepsOwner = isOwned || fchown(descriptor, status.user, status.group) == 0
        guard fchmod(descriptor, keepsOwner ? status.mode : status.mode & 0o707) == 0,
            unsafe futimens(descriptor, status.times) == 0, fsync(descriptor) == 0
        else { throw SourceFile.fault(errno, "write", path) }
        if unsafe pgm_rename_new(temporary, path) != 0 {
            // NFS and others cannot rename so; link(2) does not replace either (man 2 renameat2, ERRORS).
            let isUnknown = errno == EINVAL || errno == ENOSYS
            guard isUnknown, unsafe link(temporary, path) == 0 else {
                if errno == EEXIST { throw Self.exists(path) }
                throw SourceFile.fault(errno, "write", path)
            }
        }
        try Self.synchronizeFolder(of: path)
    }

    /// Gives the file its name, in place of what has it. It is whole for everybody who sees it, but not durable by itself.
    func publish() throws(EngineError) { try publish(as: path) }

    /// Gives the file another name in its folder, in place of what has it.
    func publish(as path: String) throws(EngineError) {
        guard unsafe rename(temporary, path) == 0 else { throw SourceFile.fault(errno, "write", path) }
    }

    /// Closes the file, and removes it unless it was published.
    func discard() {
        guard descriptor >= 0 else { return }
        close(descriptor)
        descriptor = -1
        _ = unsafe unlink(temporary)
    }

    /// Makes a change of names durable.
    static func synchronizeFolder(of path: String) throws(EngineError) {
        let folder = folder(of: path)
        let descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SourceFile.fault(errno, "open", folder) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw SourceFile.fault(errno, "write", folder) }
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func exists(_ path: String) -> EngineError { EngineError(.fileExists, "'\(path)'") }
}
