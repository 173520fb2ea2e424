/// A base backup that a server sends at the moment, to whomever.
package struct RunningBaseBackup: Sendable, Hashable {
    /// What it does, in the server's words ("Progress Reporting", `pg_stat_progress_basebackup`).
    package var phase: String
    /// Bytes that were sent.
    package var sentByteCount: Int
    /// Bytes that will be sent, as estimated when it began; nil where nobody asked for an estimate, or it is not made yet.
    package var totalByteCount: Int?
    /// How long its connection is open.
    package var elapsedSeconds: Int
}

extension PostgresSession {
    /// The base backups that the server sends at the moment, the one that began first being the first. Those of other roles are
    /// seen only with the rights of `pg_read_all_stats`.
    package func runningBaseBackups() async throws(PostgresError) -> [RunningBaseBackup] {
        let statement = """
            SELECT p.phase, p.backup_streamed, p.backup_total,
              pg_catalog.floor(EXTRACT(epoch FROM pg_catalog.clock_timestamp() - a.backend_start))::pg_catalog.int8
            FROM pg_catalog.pg_stat_progress_basebackup p JOIN pg_catalog.pg_stat_activity a USING (pid)
            WHERE p.phase IS NOT NULL ORDER BY a.backend_start
            """
        return try await query(statement).compactMap { row in
            guard row.count == 4, let phase = row[0] else { return nil }
            return RunningBaseBackup(
                phase: phase, sentByteCount: row[1].flatMap { Int($0) } ?? 0,
                totalByteCount: row[2].flatMap { Int($0) },
                elapsedSeconds: row[3].flatMap { Int($0) } ?? 0)
        }
    }
}
