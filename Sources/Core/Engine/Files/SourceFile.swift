import CEngine
import Glibc

/// The file that is converted: a regular one with one name, read from front to back.
final class SourceFile: Sendable {
    let path: String
    let status: FileStatus
    private let descriptor: Int32

    /// Opens a file.
    /// - Parameter mayHaveOtherNames: whether hard links are no fault.
    /// - Throws: `.fileUnusable` for what is not there, cannot be read, is no regular file, or has other names.
    init(_ path: String, mayHaveOtherNames: Bool = false) throws(EngineError) {
        var named = stat()
        guard unsafe lstat(path, &named) == 0 else { throw Self.fault(errno, "read", path) }
        try Self.requireUsual(named, path, mayHaveOtherNames)
        // The look above may be outdated: no link is followed, and no pipe is waited for.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { throw Self.fault(errno, "read", path) }
        var opened = stat()
        guard unsafe fstat(descriptor, &opened) == 0, FileStatus(opened) == FileStatus(named) else {
            close(descriptor)
            throw Self.changed(path)
        }
        self.path = path
        self.descriptor = descriptor
        status = FileStatus(opened)
    }

    deinit { close(descriptor) }

    /// Bytes in the file.
    var byteCount: Int { status.byteCount }

    /// Replaces the content of a buffer with the next bytes; it is full unless the file ends.
    func fill(_ buffer: FrameBuffer) throws(EngineError) {
        buffer.clear()
        while buffer.room > 0 {
            let count = buffer.fill { (room: inout OutputRawSpan) in
                // Sound: `read` writes at most as many bytes as there is room for, and the room lives for the call.
                unsafe room.withUnsafeMutableBytes { (bytes: UnsafeMutableRawBufferPointer, filled: inout Int) in
                    let count = unsafe Glibc.read(descriptor, bytes.baseAddress, bytes.count)
                    filled = max(0, count)
                    return count
                }
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Self.fault(errno, "read", path) }
            guard count > 0 else { return }
        }
    }

    /// - Throws: `.fileUnusable` when somebody wrote to the file, or another one has its name.
    func requireUnchanged() throws(EngineError) {
        var named = stat()
        guard unsafe lstat(path, &named) == 0, FileStatus(named) == status else { throw Self.changed(path) }
    }

    /// Removes the file's name, durably.
    func remove() throws(EngineError) {
        guard unsafe unlink(path) == 0 else { throw Self.fault(errno, "remove", path) }
        try DraftFile.synchronizeFolder(of: path)
    }

    private static func requireUsual(
        _ status: stat, _ path: String, _ mayHaveOtherNames: Bool
    ) throws(EngineError) {
        let kind: (words: String, remedy: String)? =
            switch status.st_mode & S_IFMT {
            case S_IFREG: nil
            case S_IFDIR: ("a directory", "Name a file; 'tar' makes one of a directory.")
            case S_IFLNK: ("a symbolic link", "Name the file that it leads to.")
            default: ("not a regular file", "Name a regular file.")
            }
        if let kind { throw EngineError(.fileUnusable, "'\(path)' is \(kind.words)", remedy: kind.remedy) }
        guard mayHaveOtherNames || status.st_nlink == 1 else {
            throw EngineError(
                .fileUnusable,
                "'\(path)' has \(status.st_nlink - 1) other names, which would keep the content as it is",
                remedy: "Remove the other hard links, or copy the file and name the copy.")
        }
    }

    private static func changed(_ path: String) -> EngineError {
        EngineError(
            .fileUnusable, "'\(path)' changed while it was read",
            remedy: "Wait until nobody writes to it, then run the command again.")
    }

    /// A fault of a system call, in the operator's words.
    static func fault(_ number: Int32, _ verb: String, _ path: String) -> EngineError {
        // Sound: strerror gives a text that lives until the thread's next call, and it is copied here.
        let words = unsafe String(cString: strerror(number))
        let summary = "cannot \(verb) '\(path)' (\(words))"
        return switch number {
        case ENOSPC, EDQUOT: EngineError(.noSpace, summary, remedy: "Free space there, then run the command again.")
        case ENOENT: EngineError(.fileUnusable, summary, remedy: "Check the path.")
        case EACCES, EPERM:
            EngineError(
                .fileUnusable, summary,
                remedy: "Give this user permission for it and its folder, or run as another user.")
        case ENAMETOOLONG: EngineError(.fileUnusable, summary, remedy: "Give the file a shorter name.")
        default: EngineError(.fileUnusable, summary)
        }
    }
}

/// What a result takes over from its source, and what tells that a file is still the same.
struct FileStatus: Sendable, Equatable {
    let device: UInt
    let number: UInt
    let byteCount: Int
    let mode: mode_t
    let user: uid_t
    let group: gid_t
    let modifiedAt: [Int]
    /// When bytes, mode, owner or names changed last; nobody can set it.
    let changedAt: [Int]
    /// Not compared: to read a file changes it.
    let accessedAt: [Int]

    init(_ status: stat) {
        device = UInt(status.st_dev)
        number = UInt(status.st_ino)
        byteCount = Int(status.st_size)
        mode = status.st_mode & 0o7777
        user = status.st_uid
        group = status.st_gid
        modifiedAt = [status.st_mtim.tv_sec, status.st_mtim.tv_nsec]
        changedAt = [status.st_ctim.tv_sec, status.st_ctim.tv_nsec]
        accessedAt = [status.st_atim.tv_sec, status.st_atim.tv_nsec]
    }

    static func == (left: FileStatus, right: FileStatus) -> Bool {
        left.device == right.device && left.number == right.number && left.byteCount == right.byteCount
            && left.changedAt == right.changedAt
    }

    /// Access and modification, for `futimens`.
    var times: [timespec] {
        [accessedAt, modifiedAt].map { timespec(tv_sec: $0[0], tv_nsec: $0[1]) }
    }
}
