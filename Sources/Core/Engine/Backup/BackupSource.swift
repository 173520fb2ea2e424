import PostgresClient
import Synchronization

/// The PostgreSQL side of a backup: two replication connections, and what the cluster says of itself.
final class BackupSource: Sendable {
    let base: ReplicationSession
    let version: ServerVersion
    let identity: SystemIdentity
    let segmentSize: WALSegmentSize
    let hasDataChecksums: Bool
    private let plan: BackupPlan
    private let walSession = Mutex<ReplicationSession?>(nil)

    private init(
        plan: BackupPlan, base: ReplicationSession, identity: SystemIdentity, segmentSize: WALSegmentSize,
        hasDataChecksums: Bool
    ) {
        self.plan = plan
        self.base = base
        version = base.serverVersion
        self.identity = identity
        self.segmentSize = segmentSize
        self.hasDataChecksums = hasDataChecksums
    }

    /// Connects and checks that a backup is possible.
    static func open(_ plan: BackupPlan) async throws -> BackupSource {
        let base = try await ReplicationSession.open(plan.connection)
        do {
            guard base.serverVersion.isSupported else {
                throw PostgresError(
                    .unsupportedVersion, .check, server: base.server, detail: "PostgreSQL \(base.serverVersion)")
            }
            guard try await base.show("wal_level") != "minimal" else {
                throw PostgresError(.walLevel, .check, server: base.server)
            }
            if plan.parent != nil { try await requireSummaries(base) }
            return BackupSource(
                plan: plan, base: base, identity: try await base.identifySystem(),
                segmentSize: try await base.segmentSize(),
                hasDataChecksums: try await base.show("data_checksums") == "on")
        } catch {
            base.close()
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

    /// Opens the second connection and makes a temporary slot on it, so that the server keeps the WAL until it has been sent.
    /// - Returns: the slot's name.
    func openWAL() async throws -> String {
        let session = try await ReplicationSession.open(plan.connection)
        walSession.withLock { $0 = session }
        let slot = "pgmoneta_\(plan.taker.process)_\(plan.clock() % 1_000_000)"
        try await session.createTemporaryPhysicalSlot(slot)
        return slot
    }

    /// The second connection, once it was opened.
    func wal() throws -> ReplicationSession {
        guard let session = walSession.withLock({ $0 }) else { throw CancellationError() }
        return session
    }

    func close() {
        base.close()
        walSession.withLock { $0 }?.close()
    }
}
