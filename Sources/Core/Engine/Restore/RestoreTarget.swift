import Glibc

/// Where a restore writes: a data directory, and a folder for each tablespace.
package struct RestoreTarget: Sendable {
    package let dataDirectory: String
    /// Folder by tablespace OID.
    package let tablespaces: [String: String]

    package init(dataDirectory: String, tablespaces: [String: String]) {
        self.dataDirectory = dataDirectory
        self.tablespaces = tablespaces
    }

    /// All folders that are written to, the data directory last.
    package var roots: [String] { tablespaces.values.sorted() + [dataDirectory] }

    /// The file system path of a file of a snapshot.
    func path(_ root: Snapshot.Root, _ path: String) throws -> FilePath {
        switch root {
        case .data: return FilePath(dataDirectory).appending(path)
        case .wal: return FilePath(dataDirectory + "/pg_wal").appending(path)
        case .tablespace(let oid):
            guard let folder = tablespaces[oid] else {
                throw EngineError(.tablespaceUnusable, "tablespace \(oid) has no folder")
            }
            return FilePath(folder).appending(path)
        }
    }
}

/// Who shall own restored files.
package struct FileOwner: Sendable, Hashable {
    package let user: UInt32
    package let group: UInt32
}

/// Faults of system calls on the files of a restore, in the operator's words.
enum FileFault {
    static func error(_ number: Int32, _ operation: String, _ path: some CustomStringConvertible) -> EngineError {
        let native = unsafe String(cString: strerror(number))
        switch number {
        case ENOSPC, EDQUOT: return EngineError(.noSpace, "cannot \(operation) '\(path)' (\(native))")
        default: return EngineError(.directoryUnusable, "cannot \(operation) '\(path)' (\(native))")
        }
    }
}
