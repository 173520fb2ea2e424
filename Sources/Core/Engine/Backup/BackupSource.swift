import PostgresClient

/// The PostgreSQL side of a backup: two replication sessions, and what the cluster says of itself.
final class BackupSource: Sendable {
    /// For the base backup.
    let base: ReplicationSession
    /// For the WAL that the backup needs.
    let wal: ReplicationSession
    /// The temporary slot of `wal`, so that the server keeps the WAL until it has been sent.
    let slot: String
    let version: ServerVersion
    let identity: SystemIdentity
    let segmentSize: WALSegmentSize
    let hasDataChecksums: Bool

    private init(base: ReplicationSession, wal: ReplicationSession, slot: String) async throws {
        self.base = base
        self.wal = wal
        self.slot = slot
        version = base.serverVersion
        identity = try await base.identifySystem()
        segmentSize = try await base.segmentSize()
        hasDataChecksums = try await base.show("data_checksums") == "on"
    }

    /// Connects and checks that a backup is possible. What it will need of the server it has from here on, so that nothing of that
    /// is found missing later.
    static func open(_ plan: BackupPlan) async throws -> BackupSource {
        var sessions: [ReplicationSession] = []
        do {
            let base = try await ReplicationSession.open(plan.connection)
            sessions.append(base)
            guard base.serverVersion.isSupported else {
                throw PostgresError(
                    .unsupportedVersion, .check, server: base.server, detail: "PostgreSQL \(base.serverVersion)")
            }
            try base.requireSupport(of: BaseBackupOptions(label: "", serverCompression: plan.wireCompression))
            guard try await base.show("wal_level") != "minimal" else {
                throw PostgresError(.walLevel, .check, server: base.server)
            }
            if plan.parent != nil { try await requireSummaries(base) }
            let wal = try await ReplicationSession.open(plan.connection)
            sessions.append(wal)
            // Random: in containers every process may have the number 1.
            let slot = "pgmoneta_" + String(UInt64.random(in: .min ... .max), radix: 36)
            try await wal.createTemporaryPhysicalSlot(slot)
            return try await BackupSource(base: base, wal: wal, slot: slot)
        } catch {
            for session in sessions { session.close() }
            throw error
        }
    }

    /// - Throws: when the server cannot tell which blocks have changed.
    private static func requireSummaries(_ base: ReplicationSession) async throws {
        guard base.serverVersion.hasIncrementalBackup else {
            throw EngineError(
                .noIncremental, "PostgreSQL \(base.serverVersion.major) does not tell which blocks changed")
        }
        guard try await base.show("summarize_wal") == "on" else {
            throw PostgresError(.summariesMissing, .check, server: base.server, detail: "summarize_wal is off")
        }
    }

    func close() {
        base.close()
        wal.close()
    }
}
