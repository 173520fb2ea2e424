import BackupAPI
import BackupEngine
import PostgresClient
import TestSupport
import Testing

/// A backup's two sessions with PostgreSQL: what stands in the way of either is found before anything is written, and neither
/// goes on without the other.
@Suite struct BackupSessionTests {
    private static func failure(_ lab: EngineLab, _ plan: BackupPlan) async throws -> PostgresError? {
        await #expect(throws: PostgresError.self) { try await onPool { _ = try await lab.backup(plan) } }
    }

    @Test(arguments: [
        (settings: ["max_replication_slots": "0"], remedy: "max_replication_slots"),
        (settings: ["max_replication_slots": "1"], remedy: "max_replication_slots"),
        (settings: ["max_wal_senders": "1"], remedy: "max_wal_senders"),
    ])
    func `a server without room for the WAL's session is told what to set, and nothing is written`(
        settings: [String: String], remedy: String
    ) async throws {
        let cluster = try PostgresCluster.start(17, settings: settings)
        if settings["max_replication_slots"] == "1" {
            try cluster.psql("SELECT pg_create_physical_replication_slot('only')")
        }
        let folder = try TemporaryFolder()
        let lab = EngineLab(folder: folder)

        let error = try await Self.failure(lab, lab.plan(cluster))

        #expect(error?.remedy.contains(remedy) == true, "\(String(describing: error))")
        #expect(try folder.tree() == [])
    }

    @Test func `a backup whose WAL ends does not wait for the rest`() async throws {
        let cluster = try PostgresCluster.start(17)
        let lab = EngineLab(folder: try TemporaryFolder())
        var plan = lab.plan(cluster)
        // So slow that all of it takes a quarter of an hour.
        plan.maxRateInKilobytesPerSecond = 32
        let slow = plan
        let run = Task(executorPreference: ThreadPerJob()) {
            let error = await #expect(throws: PostgresError.self) { _ = try await lab.backup(slow) }
            return (error, ContinuousClock.now)
        }
        try cluster.waitUntil("SELECT count(*) = 1 FROM pg_stat_replication WHERE state = 'streaming'")

        let broken = ContinuousClock.now
        try cluster.psql("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active")
        let (error, ended) = await run.value

        #expect(error?.reason == .connectionLost)
        #expect(error?.operation == .wal)
        #expect(ended - broken < .seconds(300))
        try cluster.waitUntil("SELECT count(*) = 0 FROM pg_stat_replication")
        #expect(try await onPool { try await lab.catalog().labels() } == [])
    }

    @Test func `a server that cannot compress is told so before anything is written`() async throws {
        let cluster = try PostgresCluster.start(14)
        let folder = try TemporaryFolder()
        let lab = EngineLab(folder: folder)
        var plan = lab.plan(cluster)
        plan.wireCompression = .init(method: "zstd")

        let error = try await Self.failure(lab, plan)

        #expect(error?.reason == .unsupportedVersion)
        #expect(
            error?.remedy == "Leave 'server-' out: set 'compression = zstd'; or upgrade the server to PostgreSQL 15.")
        #expect(try folder.tree() == [])
    }
}
