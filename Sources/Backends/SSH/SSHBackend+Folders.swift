internal import BackupAPI

/// What was found on the way to an object.
struct SSHLook: Sendable, Hashable {
    /// A part of the way that is there and is not a folder, such as a symbolic link.
    let obstacle: String?
    /// What is at the object's place, of whatever kind; nil when nothing is.
    let found: SFTPAttributes?

    /// The object's attributes; nil when there is no object.
    var object: SFTPAttributes? {
        guard obstacle == nil, let found, found.kind == .regular || found.kind == .unknown else { return nil }
        return found
    }
}

extension SSHBackend {
    /// Looks at an object and at the folders it lies in, in one round trip, without following links.
    func look(at key: ObjectKey, on lease: ChannelLease) async throws(SFTPFault) -> SSHLook {
        let folders = self.folders(of: key)
        let answers = folders.map { lease.channel.send(.lstat($0.string)) }
        let last = lease.channel.send(.lstat(path(of: key)))
        var obstacle: String?
        for (folder, answer) in zip(folders, answers) where obstacle == nil {
            let kind = try await SSHBackend.attributes(answer)?.kind
            if kind == .regular || kind == .other { obstacle = folder.string }
        }
        return SSHLook(obstacle: obstacle, found: try await SSHBackend.attributes(last))
    }

    /// The folders between the root and an object, from the outside in.
    func folders(of key: ObjectKey) -> [FolderPath] {
        var path = root
        return key.components.dropLast().map { component in
            path += "/" + component
            return FolderPath(string: path)
        }
    }

    /// Waits for attributes; nil when nothing is there.
    static func attributes(_ answer: PendingReply) async throws(SFTPFault) -> SFTPAttributes? {
        let reply = try await answer.reply()
        if case .status(.noSuchFile, _) = reply { return nil }
        return try reply.requireAttributes()
    }

    /// Makes a folder and those it lies in, where they are missing.
    func makeFolder(_ path: String, on lease: ChannelLease) async throws(SFTPFault) {
        let channel = lease.channel
        guard try await SSHBackend.attributes(channel.send(.stat(path.isEmpty ? "/" : path))) == nil else { return }
        let parent = path.beforeLastSlash
        try await makeFolder(parent, on: lease)
        let reply = try await channel.send(.makeFolder(path, permissions: 0o700)).reply()
        if case .status(.failure, _) = reply {
            // Another writer may have made it in between.
            if try await SSHBackend.attributes(channel.send(.stat(path)))?.kind == .folder { return }
        }
        try reply.requireOK()
        if canSyncFolders { try await lease.sync(folder: parent) }
    }

    /// Removes the folders of `keys` that hold nothing any more, from the inside out, never the root. Best effort: a server
    /// refuses to remove a folder that is not empty, which is what makes this safe beside writers.
    func removeEmptyFolders(of keys: some Sequence<ObjectKey>, on lease: ChannelLease) async {
        var all: Set<FolderPath> = []
        for key in keys { all.formUnion(folders(of: key)) }
        // A longer path never holds a shorter one, so the inner folders come first.
        let inner = all.sorted { $0.string.utf8.count > $1.string.utf8.count }
        var kept: Set<FolderPath> = []
        for folder in inner where !kept.contains(folder) {
            switch try? await lease.channel.send(.removeFolder(folder.string)).settled() {
            case .status(.ok, _), .status(.noSuchFile, _): continue
            default: break
            }
            var parent = folder.parent
            while parent.string.utf8.count > root.utf8.count, kept.insert(parent).inserted { parent = parent.parent }
        }
    }
}
