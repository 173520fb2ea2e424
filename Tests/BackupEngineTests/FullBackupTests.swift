import BackupAPI
import BackupEngine
import PostgresClient
import TestSupport
import Testing

@Suite struct FullBackupTests {
    @Test(arguments: PostgresVersions.supported)
    func `a restored full backup passes PostgreSQL's own check and starts with the same rows`(major: Int) async throws {
        let cluster = try PostgresCluster.start(major)
        let folder = try TemporaryFolder()
        let lab = EngineLab(folder: folder)
        _ = try cluster.psql("CREATE TABLE t AS SELECT i, md5(i::text) FROM generate_series(1, 20000) i")
        let rows = try cluster.psql("SELECT md5(string_agg(t::text, ',' ORDER BY i)) FROM t")

        let data = folder.path("restored")
        let label = try await onPool {
            let outcome = try await lab.backup(lab.plan(cluster))
            let report = try await lab.verify(outcome.record.label)
            #expect(report.isSound, "\(report)")
            #expect(try await lab.verify(outcome.record.label, depth: .stored).isSound)
            _ = try await lab.restore(outcome.record.label, to: RestorePlan(dataDirectory: data))
            return outcome.record.label
        }

        #expect(try await onPool { try await lab.catalog().find("newest").label } == label)
        let check = try Program.run(
            try cluster.bin("pg_verifybackup"), (major == 14 ? ["-n"] : []) + [data])
        #expect(check.status == 0, "\(check.errorText)")
        let copy = try PostgresCluster.start(major, onDataFolder: data)
        #expect(try copy.psql("SELECT md5(string_agg(t::text, ',' ORDER BY i)) FROM t") == rows)
        copy.remove()
    }
}

/// Runs `body` as a program does: on threads where calls may block.
func onPool<Result>(_ body: () async throws -> sending Result) async rethrows -> Result {
    try await withTaskExecutorPreference(BlockingPool(), operation: body)
}
