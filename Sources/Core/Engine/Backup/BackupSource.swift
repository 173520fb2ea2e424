import PostgresClient
import WALFormat

/// The PostgreSQL side of a backup: two replication sessions, and what the cluster says of itself.
final class BackupSource: Sendable {
    /// For the base backup.
    let base: ReplicationSession
    /// For the WAL that the backup needs.
    let wal: ReplicationSession
    /// For an incremental backup that the server cannot make itself; nil for all others.
    let sql: PostgresSession?
    /// The temporary slot of `wal`, so that the server keeps the WAL until it has been sent.
    let slot: String
    let version: ServerVersion
    let identity: SystemIdentity
    let segmentSize: WALSegmentSize
    let hasDataChecksums: Bool

    private init(
        base: ReplicationSession, wal: ReplicationSession, sql: PostgresSession?, slot: String
    ) async throws {
        self.base = base
        self.wal = wal
        self.sql = sql
        self.slot = slot
        version = base.serverVersion
        identity = try await base.identifySystem()
        segmentSize = try await base.segmentSize()
        hasDataChecksums = try await base.show("data_checksums") == "on"
    }

    /// Connects and checks that a backup is possible. What it will need of the server it has from here on, so that nothing of that
    /// is found missing later.
    static func open(_ plan: BackupPlan) async throws -> BackupSource {
        var close: [() -> Void] = []
        do {
            let base = try await ReplicationSession.open(plan.connection)
            close.append(base.close)
            guard base.serverVersion.isSupported else {
                throw PostgresError(
                    .unsupportedVersion, .check, server: base.server, detail: "PostgreSQL \(base.serverVersion)")
            }
            try base.requireSupport(of: BaseBackupOptions(label: "", serverCompression: plan.wireCompression))
            guard try await base.show("wal_level") != "minimal" else {
                throw PostgresError(.walLevel, .check, server: base.server)
            }
            var sql: PostgresSession?
            if plan.parent != nil {
                if base.serverVersion.hasIncrementalBackup {
                    try await requireSummaries(base)
                } else {
                    let session = try await PostgresSession.open(plan.connection)
                    close.append(session.close)
                    try await requireBlocks(session)
                    guard try await session.instance().systemIdentifier == base.identifySystem().systemIdentifier else {
                        throw EngineError(.otherCluster, "'\(base.server)' leads to several servers")
                    }
                    sql = session
                }
            }
            let wal = try await ReplicationSession.open(plan.connection)
            close.append(wal.close)
            // Random: in containers every process may have the number 1.
            let slot = "pgmoneta_" + String(UInt64.random(in: .min ... .max), radix: 36)
            try await wal.createTemporaryPhysicalSlot(slot)
            return try await BackupSource(base: base, wal: wal, sql: sql, slot: slot)
        } catch {
            for close in close { close() }
            throw error
        }
    }

    /// - Throws: when the server does not tell which blocks have changed.
    private static func requireSummaries(_ base: ReplicationSession) async throws {
        guard try await base.show("summarize_wal") == "on" else {
            throw PostgresError(.summariesMissing, .check, server: base.server, detail: "summarize_wal is off")
        }
    }

    /// - Throws: when changed blocks cannot be read over SQL.
    private static func requireBlocks(_ session: PostgresSession) async throws {
        try await session.requireFileFunctions()
        guard try await session.parameter("block_size") == "\(IncrementalHeader.blockByteCount)",
            try await session.parameter("segment_size") == "1GB"
        else {
            throw EngineError(
                .noIncremental, "the server was built with other blocks than 8 kB, or other files than 1 GB")
        }
    }

    func close() {
        sql?.close()
        base.close()
        wal.close()
    }
}
