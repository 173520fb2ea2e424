import BackupAPI
import Glibc

/// Brings a data directory that is there to the state of a backup: files that are right stay, of the others only blocks that
/// differ are written, and what the backup does not have goes.
struct DeltaRestore {
    let chain: BackupChain
    let request: RestorePlan
    let cryptography: any Cryptography
    let progress: ProgressCounter

    /// Runs the restore. When it returns the directory is complete and durable.
    ///
    /// - Throws: before anything is changed: what can be proven without reading the data, a server that seems to run, a
    ///   directory that is none of PostgreSQL's. Later the directory is left without `global/pg_control`: no server starts on
    ///   it, and the same command goes on where it was.
    func run() async throws -> Snapshot {
        let snapshot = try await chain.snapshot(with: request.recovery)
        let mapping = mapping(of: snapshot)
        let target = try RestoreTarget(
            dataDirectory: request.dataDirectory,
            tablespaces: RestoreFolders.tablespaces(snapshot, mapping: mapping))
        let folders = try RestoreFolders.forUpdate(target, mapping: mapping)
        let findings = try await DeltaScan(snapshot: snapshot, target: target).run(
            workers: chain.newest.frames.workers)
        let (changes, files) = snapshot.leaving(findings.kept)
        let sink = try DirectorySink(snapshot: changes, target: target, owner: folders.owner)
        let manifest = RestoredManifest(
            chain: chain, cryptography: cryptography, target: target, owner: folders.owner)
        try await manifest.prove()
        try await StoredVolumes(of: changes).require(on: chain.newest.frames.backend)

        let modes = RestoredModes(snapshot)
        FolderContents.removeControlFile(of: target.dataDirectory)
        for path in findings.foreign { FolderContents.remove(path) }
        try folders.make(mode: modes.root)
        progress.setTotal(byteCount: changes.byteCount)
        try sink.prepare()
        try sink.resize()
        try await SnapshotWalk(frames: chain.newest.frames).run(
            changes, into: CountingSink(sink: DeltaSink(sink: sink), progress: progress)
        ) { throw $0 }
        var checksums = snapshot.files.map { $0.checksum ?? 0 }
        for (checksum, file) in zip(sink.checksums, files) { checksums[file] = checksum }
        try await manifest.write(snapshot, checksums: checksums, mode: modes.ownFile)
        try sink.finish()
        return snapshot
    }

    /// Where the tablespaces go: where the request says, else where the directory has them.
    private func mapping(of snapshot: Snapshot) -> [String: String] {
        var mapping = request.tablespaceMapping
        for tablespace in snapshot.record.tablespaces where mapping[tablespace.location] == nil {
            let link = "\(request.dataDirectory)/pg_tblspc/\(tablespace.oid)"
            var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
            let count = unsafe readlink(link, &buffer, buffer.count - 1)
            guard count > 0 else { continue }
            mapping[tablespace.location] = String(
                decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        return mapping
    }
}

extension Snapshot {
    /// The same tree without the contents of some files, which stay as they are.
    /// - Returns: the rest, and the index here of each of its files.
    func leaving(_ kept: Set<Int>) -> (rest: Snapshot, files: [Int]) {
        let files = self.files.indices.filter { !kept.contains($0) }
        let places = Dictionary(uniqueKeysWithValues: files.enumerated().map { ($1, $0) })
        var rest = self
        rest.isPartial = true
        rest.files = files.map { self.files[$0] }
        for part in parts.indices {
            rest.parts[part].extents = parts[part].extents.compactMap { extent in
                guard let file = places[extent.file] else { return nil }
                var moved = extent
                moved.file = file
                return moved
            }
        }
        rest.parts.removeAll { $0.extents.isEmpty }
        return (rest, files)
    }
}
