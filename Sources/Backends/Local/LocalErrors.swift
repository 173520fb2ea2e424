import BackupAPI
import Glibc

/// Translates values of `errno` (errno(3), and the pages of the single calls) into errors that an operator can act on.
enum LocalErrors {
    /// Makes the error for a fault.
    static func error(
        _ fault: SystemFault, _ operation: StorageError.Operation, key: ObjectKey? = nil, target: String
    ) -> StorageError {
        StorageError(
            reason(for: fault, operation), operation: operation, key: key?.string, target: target,
            detail: name(of: fault.code),
            remedy: remedy(for: fault))
    }

    /// What kind of fault it is.
    static func reason(for fault: SystemFault, _ operation: StorageError.Operation) -> StorageError.Reason {
        switch fault.code {
        case ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG, EISDIR:
            if fault.concernsRoot { return .misconfigured }
            return fault.code == ENOENT ? .notFound : .invalidKey
        case EEXIST: return .alreadyExists
        case EACCES, EPERM: return .permissionDenied
        case EROFS: return .readOnly
        case ENOSPC, EDQUOT: return .noSpace
        case EILSEQ, EINVAL: return .invalidKey
        case EFBIG, EOPNOTSUPP, ENOSYS, EMLINK: return .unsupported
        case EMFILE, ENFILE, ENOMEM, EBUSY, EAGAIN, ESTALE, ETXTBSY, EHOSTDOWN, EHOSTUNREACH, ENOTCONN:
            return .unavailable
        case ETIMEDOUT: return .timedOut
        case ECANCELED: return .cancelled
        // read(2): a fault of the medium. What it held is not there any more.
        case EIO where operation == .read: return .corrupt
        default: return .failed
        }
    }

    /// The name in the C headers, such as `EACCES`.
    static func name(of code: Int32) -> String { names[code] ?? "errno \(code)" }

    private static let names: [Int32: String] = [
        ENOENT: "ENOENT", ENOTDIR: "ENOTDIR", ELOOP: "ELOOP", ENAMETOOLONG: "ENAMETOOLONG", EISDIR: "EISDIR",
        EEXIST: "EEXIST", EACCES: "EACCES", EPERM: "EPERM", EROFS: "EROFS", ENOSPC: "ENOSPC", EDQUOT: "EDQUOT",
        EILSEQ: "EILSEQ", EINVAL: "EINVAL", EFBIG: "EFBIG", EOPNOTSUPP: "EOPNOTSUPP", ENOSYS: "ENOSYS",
        EMLINK: "EMLINK", EMFILE: "EMFILE", ENFILE: "ENFILE", ENOMEM: "ENOMEM", EBUSY: "EBUSY", EAGAIN: "EAGAIN",
        ESTALE: "ESTALE", ETXTBSY: "ETXTBSY", EHOSTDOWN: "EHOSTDOWN", EHOSTUNREACH: "EHOSTUNREACH",
        ENOTCONN: "ENOTCONN", ETIMEDOUT: "ETIMEDOUT", ECANCELED: "ECANCELED", EIO: "EIO", ENXIO: "ENXIO",
        ENODEV: "ENODEV", ENOTEMPTY: "ENOTEMPTY", EXDEV: "EXDEV", ENOLCK: "ENOLCK", EINTR: "EINTR", EBADF: "EBADF",
    ]

    /// What to do, where more is known than the kind of fault says.
    private static func remedy(for fault: SystemFault) -> String? {
        switch fault.code {
        case ENOENT where fault.concernsRoot:
            "Create the folder that the target lies in with 'mkdir -p', or mount the disk that holds it."
        case ENOTDIR where fault.concernsRoot, ELOOP where fault.concernsRoot:
            "Name a folder as the target; 'ls -ld' on it shows what it is now."
        case ENOTDIR, EISDIR:
            "An object and a folder cannot have the same name; look with 'ls -l' and move what is in the way."
        case ELOOP:
            "Remove the symbolic link below the target that stands in the way; links there are not followed."
        case EACCES, EPERM:
            "Give this user read, write and search permission on the target and all below it, with 'chown -R'."
        case EROFS: "Mount the file system for writing with 'mount -o remount,rw', or choose another target."
        case ENOSPC:
            "Free space on the file system of the target; 'df -h' and 'df -i' show what is full. "
                + "Then run the command again."
        case EDQUOT: "Raise the quota of this user, or free space; 'quota -s' shows it. Then run the command again."
        case EMFILE: "Raise the limit of open files with 'ulimit -n', then run the command again."
        case ENFILE: "Raise the system's limit of open files, 'sysctl fs.file-max', then run the command again."
        case ENOMEM: "Check that the machine has memory left; then run the command again."
        case ESTALE: "Mount the network file system again, then run the command again."
        case EMLINK, EOPNOTSUPP, ENOSYS:
            "Choose a file system that has hard links and can sync folders, such as ext4 or xfs."
        case EFBIG: "Choose a file system that allows larger files, or raise 'ulimit -f'."
        case EIO: "Look for disk faults with 'dmesg', and check the disk before it is used again."
        default: nil
        }
    }
}
