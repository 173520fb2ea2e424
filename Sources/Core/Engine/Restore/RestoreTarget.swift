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

    /// The folder that a root's files stand below.
    /// - Throws: `.tablespaceUnusable` for a tablespace that has none.
    func folder(of root: Snapshot.Root) throws(EngineError) -> String {
        switch root {
        case .data: return dataDirectory
        case .wal: return dataDirectory + "/pg_wal"
        case .tablespace(let oid):
            guard let folder = tablespaces[oid] else {
                throw EngineError(.tablespaceUnusable, "tablespace \(oid) has no folder")
            }
            return folder
        }
    }

    /// The file system path of a file of a snapshot.
    func path(_ root: Snapshot.Root, _ path: String) throws(EngineError) -> FilePath {
        FilePath(try folder(of: root)).appending(path)
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
