internal import BackupAPI

/// What a server can keep of the storage contract.
struct ServerTraits: Sendable, Hashable {
    /// What it offered when the session began.
    let features: SFTPFeatures
    /// Whether a folder can be opened and forced to disk, which makes new names in it survive a power cut.
    let canSyncFolders: Bool

    /// Looks at what the server does with its home folder; nothing is changed there.
    init(asking lease: ChannelLease) async throws(SFTPFault) {
        features = lease.features
        guard features.has(.fsync) else {
            canSyncFolders = false
            return
        }
        do throws(SFTPFault) {
            try await lease.sync(folder: ".")
            canSyncFolders = true
        } catch {
            guard case .status = error else { throw error }
            canSyncFolders = false
        }
    }

    /// Makes the claims, each only where it is kept.
    func capabilities(concurrency: Int) -> Capabilities {
        var remarks: [String] = []
        if !features.has(.fsync) {
            remarks.append("the server lacks fsync@openssh.com: it is not known when objects reach its disk")
        } else if !canSyncFolders {
            remarks.append("the server does not sync folders: it is not known when new names reach its disk")
        }
        if !features.has(.hardLink) {
            remarks.append("the server lacks hardlink@openssh.com: two writers of one name may both succeed")
        }
        if !features.has(.posixRename) {
            remarks.append("the server lacks posix-rename@openssh.com: an object that is replaced is gone for a moment")
        }
        if !features.has(.statvfs) {
            remarks.append("the server lacks statvfs@openssh.com: its free room is not known")
        }
        return Capabilities(
            durability: canSyncFolders ? .durable : .unknown, hasAtomicCreate: features.has(.hardLink),
            hasAtomicReplace: features.has(.posixRename), usefulConcurrency: concurrency, remarks: remarks)
    }
}

extension ChannelLease {
    /// Forces the names in a folder to disk (fsync(2): the folder needs one of its own).
    func sync(folder: String) async throws(SFTPFault) {
        let handle = try await channel.send(.open(folder.isEmpty ? "/" : folder, .read, permissions: nil)).reply()
            .requireHandle()
        defer { channel.send(.close(handle)) }
        try await channel.send(.fsync(handle)).reply().requireOK()
    }
}
