import BackupAPI
import Glibc

/// Removes temporaries that no living process writes, and folders that are empty.
struct LocalSweep {
    private let prefix: String
    private var removedCount = 0

    /// Prepares a sweep of the folders below a prefix.
    init(prefix: String) { self.prefix = prefix }

    /// Walks the folders.
    /// - Returns: how many temporaries were removed.
    mutating func run(in tree: LocalTree) throws(SystemFault) -> Int {
        guard let start = LocalPrefix(prefix) else { return 0 }
        do throws(SystemFault) {
            try visit(try tree.openFolder(start.components), path: start.path, namePrefix: start.rest)
        } catch {
            guard error.isMissing else { throw error }
        }
        tree.removeEmptyFolders(start.components)
        return removedCount
    }

    /// Sweeps a folder.
    /// - Parameters:
    ///   - path: of the folder, with a `/` at its end; empty for the root.
    ///   - namePrefix: only folders that begin like this. Temporaries do not tell which object they were to become, and so any
    ///     of them may have become one whose name begins like this.
    private mutating func visit(
        _ folder: borrowing Descriptor, path: String, namePrefix: String = ""
    ) throws(SystemFault) {
        let found = try folder.entries { entry in
            entry.isFolder ? entry.sortName.utf8.starts(with: namePrefix.utf8) : LocalTemporary.isName(entry.name)
        }
        for entry in found {
            do throws(SystemFault) {
                if entry.isFolder {
                    try visit(try folder.folder(entry.name), path: path + entry.sortName)
                    // It works on empty folders only; a writer that is about to use it makes it again.
                    try? folder.removeFolder(entry.name)
                } else {
                    try removeIfDead(entry.name, in: folder)
                }
            } catch {
                // What this user may not enter or remove is somebody else's to sweep.
                guard error.code == EACCES || LocalTree.maySkip(path + entry.sortName, after: error) else {
                    throw error
                }
            }
        }
    }

    /// Removes a temporary if its lock can be had. A writer that had not locked it yet makes another one.
    private mutating func removeIfDead(_ name: String, in folder: borrowing Descriptor) throws(SystemFault) {
        let file = try folder.lockableFile(name)
        guard try file.look().kind == .file, file.lock(waits: false) else { return }
        try folder.remove(name)
        removedCount += 1
    }
}
