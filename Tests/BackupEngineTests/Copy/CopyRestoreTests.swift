import BackupAPI
import BackupConformance
import BackupEngine
import LocalBackend
import PostgresClient
import TestSupport
import Testing

/// Copies of real backups.
@Suite struct CopyRestoreTests {
    @Test(arguments: [nil, "aes-256-gcm"])
    func `a copy verifies, and restores with the master key alone`(encryption: String?) async throws {
        let cluster = try PostgresCluster.start(17)
        let folder = try TemporaryFolder()
        let (near, far) = (MemoryBackend(name: "memory:near"), MemoryBackend(name: "memory:far"))
        let lab = EngineLab(folder: folder, backend: near, isEncrypted: encryption != nil)
        _ = try cluster.psql("CREATE TABLE t AS SELECT i, md5(i::text) FROM generate_series(1, 5000) i")
        let label = try await onPool { try await lab.backup(lab.plan(cluster, encryption: encryption)).record.label }
        cluster.remove()

        #expect(try await onPool { try await lab.verify(label).isSound })
        // Copying needs no master key.
        let directory = LocalBackend(path: folder.path("between"))
        _ = try await CopyLab().copy(label.string, from: near, to: directory)
        _ = try await CopyLab().copy("newest", from: directory, to: far, masterKey: lab.masterKey)

        #expect(CopyLab.backups(on: far) == CopyLab.backups(on: near))
        let copied = EngineLab(folder: folder, backend: far, isEncrypted: encryption != nil)
        let data = folder.path("restored")
        try await onPool {
            #expect(try await copied.verify(label).isSound)
            _ = try await copied.restore(label, to: RestorePlan(dataDirectory: data))
        }
        let again = try PostgresCluster.start(17, onDataFolder: data)
        #expect(try again.psql("SELECT count(*) FROM t") == "5000")
        again.remove()
    }
}
