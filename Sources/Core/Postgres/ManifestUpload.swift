import CLibpq

extension ReplicationSession {
    /// Gives the server the manifest of the backup that the next incremental one builds on (`UPLOAD_MANIFEST`, from version 17).
    /// - Parameter nextChunk: gives the manifest's bytes from front to back, in pieces of any size, and nil at its end.
    /// - Throws: `PostgresError`, or what `nextChunk` threw; the session is closed then.
    package func uploadManifest(_ nextChunk: () async throws -> [UInt8]?) async throws {
        guard serverVersion.hasIncrementalBackup else {
            throw connection.error(
                .unsupportedVersion, .manifest,
                "PostgreSQL \(serverVersion.major) cannot make incremental backups by itself")
        }
        let wakeup = connection.wakeup
        do {
            try await withTaskCancellationHandler {
                try await sendManifest(nextChunk)
            } onCancel: {
                wakeup.set()
            }
        } catch {
            connection.abandon()
            throw error
        }
    }

    private func sendManifest(_ nextChunk: () async throws -> [UInt8]?) async throws {
        func deadline() -> ContinuousClock.Instant { .now + .seconds(60) }
        try connection.send("UPLOAD_MANIFEST", by: deadline(), .manifest)
        _ = try connection.expect(PGRES_COPY_IN, by: deadline(), .manifest)
        while let chunk = try await nextChunk() {
            if !chunk.isEmpty { try connection.putCopy(chunk, by: deadline(), .manifest) }
        }
        try connection.endCopy(by: deadline(), .manifest)
        _ = try connection.finish(by: deadline(), .manifest)
    }
}
