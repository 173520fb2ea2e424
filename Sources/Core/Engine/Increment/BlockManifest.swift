import PostgresClient

/// Writes the manifest of a backup that is read over SQL, as PostgreSQL would: of what was sent.
struct BlockManifest {
    let plan: BackupPlan
    let source: BackupSource

    func write(start: LSN, end: LSN, timeline: Timeline, to streams: BackupStreams) async throws {
        let algorithm = plan.manifestChecksums.uppercased()
        var writer = ManifestWriter(
            majorVersion: source.version.major, systemIdentifier: source.identity.systemIdentifier.description,
            cryptography: plan.cryptography)
        for file in streams.files {
            writer.add(
                root: "", path: file.path, byteCount: file.byteCount, modifiedAt: file.modifiedAt,
                checksum: algorithm == "NONE" ? .none : .digest(algorithm, file.checksum))
            // Sound: the spans do not outlive the calls.
            if let piece = writer.takePiece() { try await streams.manifestBytes(unsafe piece.span.bytes) }
        }
        let last = writer.finish(timeline: timeline, start: start.description, end: end.description)
        try await streams.manifestBytes(unsafe last.span.bytes)
    }
}
