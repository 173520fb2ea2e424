package import BackupAPI

/// What to restore and where.
package struct RestorePlan: Sendable {
    /// A data directory to make; its parent must exist.
    package var dataDirectory: String
    /// New folder by old location.
    package var tablespaceMapping: [String: String]
    /// What becomes of what is there.
    package var existing: Existing
    /// How PostgreSQL goes on; nil to the backup's own end.
    package var recovery: RecoverySettings?

    /// What a restore does with a directory that is not empty.
    package enum Existing: Sendable, Hashable {
        /// It refuses.
        case refuse
        /// It deletes what is there first.
        case replace
        /// It keeps what is right and rewrites what differs.
        case update
    }

    package init(
        dataDirectory: String, tablespaceMapping: [String: String] = [:], existing: Existing = .refuse,
        recovery: RecoverySettings? = nil
    ) {
        self.dataDirectory = dataDirectory
        self.tablespaceMapping = tablespaceMapping
        self.existing = existing
        self.recovery = recovery
    }
}

/// Restores a backup, with what it needs of its parents, into a directory.
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
        if request.existing == .update {
            return try await DeltaRestore(
                chain: chain, request: request, cryptography: cryptography, progress: progress
            ).run()
        }
        let snapshot = try await chain.snapshot(with: request.recovery)
        let target = try RestoreTarget(
            dataDirectory: request.dataDirectory,
            tablespaces: RestoreFolders.tablespaces(snapshot, mapping: request.tablespaceMapping))
        let folders = try RestoreFolders.forNew(
            target, replaces: request.existing == .replace, mapping: request.tablespaceMapping)
        try folders.requireRoom(snapshot.byteCount)
        let sink = try DirectorySink(snapshot: snapshot, target: target, owner: folders.owner)
        let manifest = RestoredManifest(
            chain: chain, cryptography: cryptography, target: target, owner: folders.owner)
        if folders.replacesAny {
            try await manifest.prove()
            try await StoredVolumes(of: snapshot).require(on: chain.newest.frames.backend)
        }
        let modes = RestoredModes(snapshot)
        try folders.make(mode: modes.root)
        do {
            try await write(snapshot, to: sink)
            try await manifest.write(snapshot, checksums: sink.checksums, mode: modes.ownFile)
            try sink.finish()
        } catch {
            folders.clear()
            throw error
        }
        return snapshot
    }

    private func write(_ snapshot: Snapshot, to sink: DirectorySink) async throws {
        progress.setTotal(byteCount: snapshot.byteCount)
        try sink.prepare()
        try await SnapshotWalk(frames: chain.newest.frames).run(
            snapshot, into: CountingSink(sink: sink, progress: progress)
        ) { throw $0 }
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
