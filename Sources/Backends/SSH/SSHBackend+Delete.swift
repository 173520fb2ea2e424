package import BackupAPI

extension SSHBackend {
    /// Most removals that wait for their answer.
    private static let removalWindow = 64

    package func delete(_ keys: [ObjectKey]) async throws(StorageError) -> [ObjectKey: StorageError] {
        try await calls(.delete) { lease throws(SFTPFault) in
            var failed: [ObjectKey: StorageError] = [:]
            var rest = keys[...]
            while !rest.isEmpty {
                let some = rest.prefix(SSHBackend.removalWindow)
                rest = rest.dropFirst(some.count)
                for (key, error) in try await remove(some, on: lease) { failed[key] = error }
            }
            return failed
        }
    }

    private func remove(
        _ keys: ArraySlice<ObjectKey>, on lease: ChannelLease
    ) async throws(SFTPFault) -> [ObjectKey: StorageError] {
        let linked = try await linkedFolders(of: keys, on: lease)
        // Behind a link there are no objects, so none needs to be removed.
        let reachable = keys.filter { key in folders(of: key).allSatisfy { !linked.contains($0) } }
        let answers = reachable.map { lease.channel.send(.remove(path(of: $0))) }
        var failed: [ObjectKey: StorageError] = [:]
        for (key, answer) in zip(reachable, answers) {
            guard case .status(let status, let message) = try await answer.reply() else {
                throw .unexpected("no status")
            }
            if status == .ok || status == .noSuchFile { continue }
            // A server refuses to remove a folder this way; a folder is not an object, so the key is not there.
            let found = try await SSHBackend.attributes(lease.channel.send(.lstat(path(of: key))))
            guard let found, found.kind != .folder else { continue }
            failed[key] = await lookCloser(
                SSHErrors.error(
                    .status(status, message: message), operation: .delete, key: key, target: displayName), on: lease)
        }
        await removeEmptyFolders(of: reachable.filter { failed[$0] == nil }, on: lease)
        return failed
    }

    /// Those folders of `keys` that are there and are not folders.
    private func linkedFolders(
        of keys: ArraySlice<ObjectKey>, on lease: ChannelLease
    ) async throws(SFTPFault) -> Set<FolderPath> {
        var all: Set<FolderPath> = []
        for key in keys { all.formUnion(folders(of: key)) }
        let looks = all.map { ($0, lease.channel.send(.lstat($0.string))) }
        var linked: Set<FolderPath> = []
        for (folder, answer) in looks {
            let kind = try await SSHBackend.attributes(answer)?.kind
            if kind == .regular || kind == .other { linked.insert(folder) }
        }
        return linked
    }
}
