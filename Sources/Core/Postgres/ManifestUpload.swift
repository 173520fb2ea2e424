import CLibpq

extension ReplicationSession {
    /// Gives the server the manifest of the backup that the next incremental one builds on (`UPLOAD_MANIFEST`, from version 17).
    /// - Parameter write: hands the manifest's bytes from front to back, in pieces of any size, to the function that it gets.
    /// - Throws: `PostgresError`, or what `write` threw; the session is closed then.
    package func uploadManifest(_ write: (_ send: (RawSpan) async throws -> Void) async throws -> Void) async throws {
        guard serverVersion.hasIncrementalBackup else {
            throw connection.error(
                .unsupportedVersion, .manifest,
                "PostgreSQL \(serverVersion.major) cannot make incremental backups by itself")
        }
        let wakeup = connection.wakeup
        do {
            try await withTaskCancellationHandler {
                try await sendManifest(write)
            } onCancel: {
                wakeup.set()
            }
        } catch {
            connection.abandon()
            throw error
        }
    }

    private func sendManifest(_ write: (_ send: (RawSpan) async throws -> Void) async throws -> Void) async throws {
        func deadline() -> ContinuousClock.Instant { .now + .seconds(60) }
        try connection.send("UPLOAD_MANIFEST", by: deadline(), .manifest)
        _ = try connection.expect(PGRES_COPY_IN, by: deadline(), .manifest)
        try await write { piece in
            guard !piece.isEmpty else { return }
            try connection.putCopy(unsafe piece.withUnsafeBytes { unsafe Array($0) }, by: deadline(), .manifest)
        }
        try connection.endCopy(by: deadline(), .manifest)
        _ = try connection.finish(by: deadline(), .manifest)
    }
}
