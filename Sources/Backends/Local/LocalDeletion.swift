import BackupAPI
import Glibc

/// Removes objects of one folder.
enum LocalDeletion {
    /// Removes the files, syncs the folder once, and removes folders that are empty then.
    /// - Returns: the objects that could not be removed.
    static func delete(
        _ keys: [ObjectKey], from components: some BidirectionalCollection<Substring>, in tree: LocalTree
    ) -> [(ObjectKey, SystemFault)] {
        var refused: [(ObjectKey, SystemFault)] = []
        do throws(SystemFault) {
            let folder = try tree.openFolder(components)
            var removed: [ObjectKey] = []
            for key in keys {
                do throws(SystemFault) {
                    // A folder of that name, or what stands behind a link, is no object.
                    guard try folder.look(at: key.name).kind == .file else { continue }
                    try folder.remove(key.name)
                    removed.append(key)
                } catch  where !error.isMissing {
                    refused.append((key, error))
                } catch {}
            }
            do throws(SystemFault) {
                if !removed.isEmpty { try folder.sync() }
            } catch {
                for key in removed { refused.append((key, error)) }
            }
        } catch {
            return error.isMissing ? [] : keys.map { ($0, error) }
        }
        tree.removeEmptyFolders(components)
        return refused
    }
}
