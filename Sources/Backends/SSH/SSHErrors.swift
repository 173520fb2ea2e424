internal import BackupAPI

/// Translates what SFTP servers answer into storage errors. What the ssh program says is in `SSHErrors+Words.swift`.
enum SSHErrors {
    /// Makes the error of a call out of a fault.
    static func error(
        _ fault: SFTPFault, operation: StorageError.Operation, key: ObjectKey? = nil, target: String
    ) -> StorageError {
        func make(_ reason: StorageError.Reason, _ detail: String?, _ remedy: String? = nil) -> StorageError {
            StorageError(
                reason, operation: operation, key: key?.string, target: target, detail: detail, remedy: remedy)
        }
        switch fault {
        case .cancelled: return make(.cancelled, nil)
        case .lost(let loss): return make(loss.reason, loss.detail, loss.remedy)
        case .refused(let reason, let detail, let remedy): return make(reason, detail, remedy)
        case .unexpected(let what):
            return make(.failed, "the server does not keep to SFTP: \(what)")
        case .status(let status, let message):
            return make(reason(of: status), words(status, message), remedy(of: status))
        }
    }

    /// Looks closer at a general fault of a write: OpenSSH's server has one status for "no space", "read-only" and others.
    static func closer(_ error: StorageError, room: SFTPFileSystem?) -> StorageError {
        guard error.reason == .failed, let room else { return error }
        // A few blocks may be left where the next larger piece does not fit.
        let isFull = room.availableByteCount < 65_536 || room.isOutOfFiles
        guard room.isReadOnly || isFull else { return error }
        return StorageError(
            room.isReadOnly ? .readOnly : .noSpace, operation: error.operation, key: error.key, target: error.target,
            detail: error.detail)
    }

    private static func reason(of status: SFTPStatus) -> StorageError.Reason {
        switch status {
        case .noSuchFile: .notFound
        case .permissionDenied: .permissionDenied
        case .badMessage: .invalidKey
        case .noConnection, .connectionLost: .unavailable
        case .unsupported: .unsupported
        case .ok, .endOfFile, .failure: .failed
        }
    }

    private static func remedy(of status: SFTPStatus) -> String? {
        guard status == .permissionDenied else { return nil }
        return "Give the login user write permission on the target's folder on the server (chown, chmod)."
    }

    private static func words(_ status: SFTPStatus, _ message: String) -> String {
        // A server's message is shown, cut to a line that cannot disturb a terminal.
        let clean = message.unicodeScalars.prefix(200).filter { $0.value >= 0x20 && $0.value != 0x7F }
        let text = String(String.UnicodeScalarView(clean))
        return text.isEmpty ? "SFTP \(status.name)" : "SFTP \(status.name) \(text)"
    }
}
