package import BackupAPI
import Glibc

/// Keeps objects as files in a directory: the key is the path below the root.
///
/// An object is written to a temporary file beside its place, synced, and then renamed or linked into place; then the
/// folder is synced. Files have mode 0600, folders 0700. Symbolic links below the root are never followed.
package final class LocalBackend: StorageBackend {
    package let displayName: String
    package let capabilities = Capabilities(
        durability: .durable, hasAtomicCreate: true, hasAtomicReplace: true, usefulConcurrency: 4)
    private let tree: LocalTree

    /// Makes a backend for a directory, which need not exist yet; the first write makes it, if its parent exists.
    /// - Parameter path: absolute.
    package init(path: String) {
        tree = LocalTree(path: path)
        displayName = "file://" + tree.path
    }

    /// Looks at the root without making it; an absent one is no fault.
    /// - Throws: `.misconfigured` when it is no directory.
    func checkRoot() throws(StorageError) {
        do throws(SystemFault) {
            _ = try tree.openRoot()
        } catch {
            if !error.isMissing { throw self.error(error, .open) }
        }
    }

    package func stat(_ key: ObjectKey) async throws(StorageError) -> ObjectInfo {
        let status = try lookingUp(.stat, key) { (folder) throws(SystemFault) in try folder.look(at: key.name) }
        if status.kind == .link { throw error(SystemFault(ELOOP), .stat, key) }
        guard status.kind == .file else { throw error(SystemFault(ENOENT), .stat, key) }
        return ObjectInfo(key: key, byteCount: status.byteCount)
    }

    package func openRead(_ key: ObjectKey, range: ByteRange?) async throws(StorageError) -> any ObjectReader {
        let source = try lookingUp(.read, key) { (folder) throws(SystemFault) in
            try LocalSource(try folder.file(key.name), range: range) { [displayName] fault in
                LocalErrors.error(fault, .read, key: key, target: displayName)
            }
        }
        return source
    }

    package func beginWrite(_ key: ObjectKey, options: WriteOptions) async throws(StorageError) -> any UploadDriver {
        if Task.isCancelled { throw error(SystemFault(ECANCELED), .write, key) }
        do throws(SystemFault) {
            return try LocalSink(tree: tree, key: key, options: options) { [displayName] fault, operation in
                LocalErrors.error(fault, operation, key: key, target: displayName)
            }
        } catch {
            // On a full disk, folders may have been made and no file.
            tree.removeEmptyFolders(key.components.dropLast())
            throw self.error(error, .write, key)
        }
    }

    package func list(_ request: ListRequest) async throws(StorageError) -> ListPage {
        do throws(SystemFault) {
            var listing = LocalListing(request)
            return try listing.page(in: tree)
        } catch {
            throw self.error(error, .list)
        }
    }

    package func delete(_ keys: [ObjectKey]) async throws(StorageError) -> [ObjectKey: StorageError] {
        var refused: [ObjectKey: StorageError] = [:]
        // By bytes: strings that only look the same are one key of a dictionary.
        let folders = Dictionary(grouping: keys) { $0.string.utf8.dropLast($0.name.utf8.count).map(\.self) }
        for keys in folders.values {
            for (key, fault) in LocalDeletion.delete(keys, from: keys[0].components.dropLast(), in: tree) {
                refused[key] = error(fault, .delete, key)
            }
        }
        return refused
    }

    package func sweepUnfinished(prefix: String) async throws(StorageError) -> Int {
        do throws(SystemFault) {
            var sweep = LocalSweep(prefix: prefix)
            return try sweep.run(in: tree)
        } catch {
            throw self.error(error, .delete)
        }
    }

    package func freeByteCount() async throws(StorageError) -> Int? {
        var room = statvfs()
        do throws(SystemFault) {
            do throws(SystemFault) {
                let root = try tree.openRoot()
                try uninterrupted { unsafe fstatvfs(root.number, &room) }
            } catch {
                guard error.isMissing else { throw error }
                // The first write will make the root here.
                let above = try Descriptor.folder(atPath: tree.parentPath)
                try uninterrupted { unsafe fstatvfs(above.number, &room) }
            }
        } catch {
            throw self.error(error.ofRoot, .stat)
        }
        return Int(clamping: room.f_bavail.multipliedFullWidth(by: room.f_frsize).low)
    }

    /// The time of a file that is made for this and removed again: a network file system has its server's clock.
    package func unixSeconds() async throws(StorageError) -> Int? {
        do throws(SystemFault) {
            let root = try tree.openRoot()
            let name = LocalTemporary.newName()
            let file = try root.newFile(name)
            defer { try? root.remove(name) }
            return try file.look().modifiedSeconds
        } catch {
            guard error.isMissing else { throw self.error(error, .stat) }
            return nil
        }
    }

    package func close() async {}

    /// Opens the folder of an object; what is missing is `.notFound`.
    private func lookingUp<Result>(
        _ operation: StorageError.Operation, _ key: ObjectKey,
        _ body: (borrowing Descriptor) throws(SystemFault) -> Result
    ) throws(StorageError) -> Result {
        do throws(SystemFault) {
            return try body(try tree.openFolder(key.components.dropLast()))
        } catch {
            throw self.error(error.isMissing ? SystemFault(ENOENT) : error, operation, key)
        }
    }

    private func error(
        _ fault: SystemFault, _ operation: StorageError.Operation, _ key: ObjectKey? = nil
    ) -> StorageError {
        LocalErrors.error(fault, operation, key: key, target: displayName)
    }
}
