import BackupAPI

/// Makes the `backup_manifest` of a tree that several backups make together, as `pg_combinebackup` does: PostgreSQL's own one
/// is of the newest backup alone.
struct CombinedManifest {
    let snapshot: Snapshot
    /// CRC-32C of each file's content.
    let checksums: [UInt32]
    let cryptography: any Cryptography

    /// Hands out the text piece by piece.
    func write(to consume: ([UInt8]) async throws -> Void) async throws {
        let record = snapshot.record
        var writer = ManifestWriter(
            majorVersion: record.majorVersion, systemIdentifier: record.systemIdentifier, cryptography: cryptography)
        for (index, file) in snapshot.files.enumerated() where file.root != .wal {
            var root = ""
            if case .tablespace(let oid) = file.root { root = "pg_tblspc/\(oid)/" }
            writer.add(
                root: root, path: file.path, byteCount: file.byteCount, modifiedAt: file.modifiedAt,
                checksum: .crc32c(checksums[index]))
            if let piece = writer.takePiece() { try await consume(piece) }
        }
        try await consume(
            writer.finish(timeline: record.startTimeline, start: record.startLSN, end: record.endLSN))
    }
}

extension BackupChain {
    /// Whether PostgreSQL's manifest is of the whole tree.
    var hasOwnManifest: Bool { members.count == 1 }

    /// Hands out the manifest of the tree piece by piece: PostgreSQL's own one, or for several backups the one of the whole.
    /// What was stored is proven when the call returns.
    /// - Parameter checksums: CRC-32C of each file of the snapshot.
    func manifest(
        of snapshot: Snapshot, checksums: [UInt32], _ cryptography: any Cryptography,
        to consume: (RawSpan) async throws -> Void
    ) async throws {
        if hasOwnManifest { return try await newest.manifest(to: consume) }
        try await CombinedManifest(snapshot: snapshot, checksums: checksums, cryptography: cryptography).write {
            // Sound: the span does not outlive the call.
            try await consume(unsafe $0.span.bytes)
        }
    }
}
