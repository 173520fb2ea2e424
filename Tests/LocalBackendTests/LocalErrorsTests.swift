import BackupAPI
import BackupConformance
import Glibc
import TestSupport
import Testing

@testable import LocalBackend

struct LocalErrorsTests {
    @Test(arguments: [
        (ENOSPC, "ENOSPC", StorageError.Reason.noSpace, "df -h"), (EDQUOT, "EDQUOT", .noSpace, "quota -s"),
        (EACCES, "EACCES", .permissionDenied, "chown"), (EPERM, "EPERM", .permissionDenied, "chown"),
        (EROFS, "EROFS", .readOnly, "remount,rw"), (ENOENT, "ENOENT", .notFound, "Check the name"),
        (EEXIST, "EEXIST", .alreadyExists, "list the backups"), (ENAMETOOLONG, "ENAMETOOLONG", .invalidKey, "name"),
        (ENOTDIR, "ENOTDIR", .invalidKey, "ls -l"), (EISDIR, "EISDIR", .invalidKey, "ls -l"),
        (ELOOP, "ELOOP", .invalidKey, "symbolic link"), (EILSEQ, "EILSEQ", .invalidKey, "name"),
        (EIO, "EIO", .failed, "dmesg"), (EMFILE, "EMFILE", .unavailable, "ulimit -n"),
        (ENFILE, "ENFILE", .unavailable, "fs.file-max"), (ENOMEM, "ENOMEM", .unavailable, "memory"),
        (ESTALE, "ESTALE", .unavailable, "Mount"), (ETIMEDOUT, "ETIMEDOUT", .timedOut, "Check"),
        (EOPNOTSUPP, "EOPNOTSUPP", .unsupported, "hard links"), (EMLINK, "EMLINK", .unsupported, "hard links"),
        (EFBIG, "EFBIG", .unsupported, "ulimit -f"), (ECANCELED, "ECANCELED", .cancelled, "again"),
        (EXDEV, "EXDEV", .failed, "system log"), (4095, "errno 4095", .failed, "system log"),
    ])
    func `a fault becomes a reason with a remedy and keeps its name`(
        code: Int32, name: String, reason: StorageError.Reason, remedy: String
    ) throws {
        let key = try ObjectKey("a/b")

        let error = LocalErrors.error(SystemFault(code), .write, key: key, target: "file:///x")

        #expect(error.reason == reason)
        #expect(error.detail == name)
        #expect(error.remedy.contains(remedy), "\(error.remedy)")
        #expect(error.summary.hasPrefix("cannot write 'a/b' at file:///x: "))
    }

    /// read(2): EIO is a fault of the medium; a sector that cannot be read is data that is gone.
    @Test func `a disk that cannot read what it has is damage, one that cannot write is not`() throws {
        let fault = SystemFault(EIO)

        #expect(LocalErrors.error(fault, .read, target: "file:///x").reason == .corrupt)
        #expect(LocalErrors.error(fault, .read, target: "file:///x").remedy.contains("dmesg"))
        #expect(LocalErrors.error(fault, .commit, target: "file:///x").reason == .failed)
    }

    @Test func `a file that becomes shorter while it is read is damage`() async throws {
        let folder = try TemporaryFolder()
        try folder.write([UInt8](repeating: 7, count: 100_000), to: "object")
        let backend = FaultyBackend(LocalBackend(path: folder.path)) { call in
            if call.kind == .read { unsafe truncate(folder.path("object"), 10) }
            return nil
        }

        let error = await #expect(throws: StorageError.self) {
            _ = try await backend.read(try ObjectKey("object"), limit: 1 << 20)
        }

        #expect(error?.reason == .corrupt)
    }

    @Test func `only the file system's own folder may be skipped when it is closed to us`() {
        #expect(LocalTree.maySkip("lost+found/", after: SystemFault(EACCES)))
        #expect(!LocalTree.maySkip("primary/", after: SystemFault(EACCES)))
        #expect(!LocalTree.maySkip("a/lost+found/", after: SystemFault(EACCES)))
        #expect(LocalTree.maySkip("primary/", after: SystemFault(ENOENT)))
        #expect(!LocalTree.maySkip("lost+found/", after: SystemFault(EIO)))
    }

    @Test(arguments: [(ENOENT, "mkdir -p"), (ENOTDIR, "ls -ld"), (ELOOP, "ls -ld")])
    func `a root that cannot be a target is a wrong setting`(code: Int32, remedy: String) {
        let error = LocalErrors.error(SystemFault(code, concernsRoot: true), .open, target: "file:///x")

        #expect(error.reason == .misconfigured)
        #expect(error.remedy.contains(remedy))
    }
}
