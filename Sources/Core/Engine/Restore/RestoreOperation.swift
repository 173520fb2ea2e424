package import BackupAPI
import Glibc

/// What to restore and where.
package struct RestorePlan: Sendable {
    /// A data directory to make; its parent must exist.
    package var dataDirectory: String
    /// New folder by old location.
    package var tablespaceMapping: [String: String]
    /// Whether what is there is replaced.
    package var replaces: Bool

    package init(dataDirectory: String, tablespaceMapping: [String: String] = [:], replaces: Bool = false) {
        self.dataDirectory = dataDirectory
        self.tablespaceMapping = tablespaceMapping
        self.replaces = replaces
    }
}

/// Restores a backup, with what it needs of its parents, into a directory, to the backup's own end point.
package struct RestoreOperation: Sendable {
    private let chain: BackupChain
    private let cryptography: any Cryptography
    private let request: RestorePlan
    private let progress: ProgressCounter

    package init(
        chain: BackupChain, request: RestorePlan, cryptography: any Cryptography, progress: ProgressCounter
    ) {
        self.chain = chain
        self.cryptography = cryptography
        self.request = request
        self.progress = progress
    }

    /// Runs the restore. When it returns the directory is complete and durable.
    ///
    /// Before anything that is there is deleted, all is proven that can be without reading the data: records, checksum lists,
    /// indexes, the manifest that will be copied, and that every volume is there with its size. The data is proven while it is
    /// written.
    ///
    /// - Throws: damage that was found, by name; faults of the directory. What was written is removed again, and the directory
    ///   is left empty.
    package func run() async throws -> Snapshot {
        let snapshot = try await chain.snapshot()
        let target = try RestoreTarget(
            dataDirectory: request.dataDirectory,
            tablespaces: RestoreFolders.tablespaces(snapshot, mapping: request.tablespaceMapping))
        let folders = try RestoreFolders(target: target, replaces: request.replaces)
        try folders.requireRoom(snapshot.byteCount)
        let sink = try DirectorySink(snapshot: snapshot, target: target, owner: folders.owner)
        if folders.replacesAny {
            if hasOwnManifest { try await chain.newest.manifest { _ in } }
            try await StoredVolumes(of: snapshot).require(on: chain.newest.frames.backend)
        }
        let modes = RestoredModes(snapshot)
        try folders.make(mode: modes.root)
        do {
            try await write(snapshot, to: sink)
            try await writeManifest(
                snapshot, checksums: sink.checksums, target, mode: modes.ownFile, owner: folders.owner)
            try sink.finish()
        } catch {
            folders.clear()
            throw error
        }
        return snapshot
    }

    /// Whether PostgreSQL's manifest is of the whole tree.
    private var hasOwnManifest: Bool { chain.members.count == 1 }

    private func write(_ snapshot: Snapshot, to sink: DirectorySink) async throws {
        progress.setTotal(byteCount: snapshot.byteCount)
        try sink.prepare()
        try await SnapshotWalk(frames: chain.newest.frames).run(
            snapshot, into: CountingSink(sink: sink, progress: progress)
        ) { throw $0 }
    }

    /// Writes a manifest beside the data, so that `pg_verifybackup` can check the directory: PostgreSQL's own one, or for a
    /// chain the one of the whole.
    private func writeManifest(
        _ snapshot: Snapshot, checksums: [UInt32], _ target: RestoreTarget, mode: mode_t,
        owner: FileOwner?
    ) async throws {
        let path = target.dataDirectory + "/backup_manifest"
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw FileFault.error(errno, "write", path) }
        defer { close(descriptor) }
        if fchmod(descriptor, mode) != 0 { throw FileFault.error(errno, "set the mode of", path) }
        if let owner, fchown(descriptor, owner.user, owner.group) != 0 {
            throw FileFault.error(errno, "give away", path)
        }
        func write(_ bytes: UnsafeRawBufferPointer) throws {
            var written = 0
            while written < bytes.count {
                let count = unsafe Glibc.write(
                    descriptor, bytes.baseAddress.map { unsafe $0 + written }, bytes.count - written)
                if count < 0, errno != EINTR { throw FileFault.error(errno, "write", path) }
                written += max(0, count)
            }
        }
        if hasOwnManifest {
            return try await chain.newest.manifest { span in try unsafe span.withUnsafeBytes { try unsafe write($0) } }
        }
        try CombinedManifest(snapshot: snapshot, checksums: checksums, cryptography: cryptography).write {
            try unsafe $0.withUnsafeBytes { try unsafe write($0) }
        }
    }
}

/// Counts bytes on their way into another sink.
struct CountingSink<Sink: SnapshotSink>: SnapshotSink {
    let sink: Sink
    let progress: ProgressCounter

    func piece(_ bytes: UnsafeRawBufferPointer, file: Int, offset: Int) throws {
        try unsafe sink.piece(bytes, file: file, offset: offset)
        progress.add(byteCount: bytes.count)
    }

    func proven(file: Int, checksum: UInt32) throws { try sink.proven(file: file, checksum: checksum) }
}
