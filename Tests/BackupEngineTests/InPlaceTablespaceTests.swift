import BackupEngine
import TestSupport
import Testing

/// Tablespaces in the data directory itself, which PostgreSQL has for its own tests.
@Suite struct InPlaceTablespaceTests {
    private static func cluster(_ major: Int) throws -> PostgresCluster {
        let cluster = try PostgresCluster.start(major, settings: ["allow_in_place_tablespaces": "on"])
        try cluster.psql("CREATE TABLESPACE inside LOCATION ''")
        try cluster.psql("CREATE TABLE t TABLESPACE inside AS SELECT generate_series(1, 1000) i")
        return cluster
    }

    @Test func `where they come as part of the data directory they are restored`() async throws {
        let cluster = try Self.cluster(15)
        let folder = try TemporaryFolder()
        let lab = EngineLab(folder: folder)
        try await onPool {
            let record = try await lab.backup(lab.plan(cluster)).record
            #expect(record.tablespaces == [])
            #expect(try await lab.verify(record.label).isSound)
            _ = try await lab.restore(record.label, to: RestorePlan(dataDirectory: folder.path("data")))
        }
        let copy = try PostgresCluster.start(15, onDataFolder: folder.path("data"))
        defer { copy.remove() }
        #expect(try copy.psql("SELECT sum(i) FROM t").contains("500500"))
    }

    @Test(arguments: [16, 17, 18])
    func `where they come like others the backup is refused, with what to do`(major: Int) async throws {
        let cluster = try Self.cluster(major)
        let lab = EngineLab(folder: try TemporaryFolder())

        let error = await #expect(throws: EngineError.self) {
            try await onPool { _ = try await lab.backup(lab.plan(cluster)) }
        }

        #expect(error?.reason == .unsupported)
        #expect(error?.summary.contains("pg_tblspc/") == true)
    }
}
