import BackupAPI
import Glibc

/// Translates values of `errno` into errors that an operator can act on: the only file that knows both.
enum ChunkErrors {
    /// Makes the error for a fault.
    static func error(
        _ fault: FileFault, _ operation: StorageError.Operation, _ key: ObjectKey?, target: String
    ) -> StorageError {
        StorageError(
            reason(for: fault.code), operation: operation, key: key?.string, target: target,
            detail: "errno \(fault.code)")
    }

    private static func reason(for code: Int32) -> StorageError.Reason {
        switch code {
        case ENOENT: .notFound
        case EEXIST: .alreadyExists
        case EACCES, EPERM: .permissionDenied
        case EROFS: .readOnly
        case ENOSPC, EDQUOT: .noSpace
        case EMFILE, ENFILE, ENOMEM: .unavailable
        // What the manifest names is not there, or is shorter than it says.
        case EBADMSG: .corrupt
        default: .failed
        }
    }
}
