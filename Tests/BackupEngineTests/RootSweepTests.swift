import BackupAPI
import BackupEngine
import LocalBackend
import TestSupport
import Testing

/// What a killed run left anywhere in a repository goes with the next backup.
@Suite struct RootSweepTests {
    @Test func `remains in the root and beside the keys go too, and those of others stay`() async throws {
        let cluster = try PostgresCluster.start(17)
        let folder = try TemporaryFolder()
        let lab = EngineLab(folder: folder)
        let dead = ObjectKey.temporaryPrefix + "4194304-dead"
        for place in ["", "keys/", "primary/", "primary/lease/backup/"] {
            try folder.write([1], to: "repository/\(place)\(dead)")
        }
        try folder.write([1], to: "repository/other/\(dead)")

        _ = try await onPool { try await lab.backup(lab.plan(cluster)) }

        #expect(try folder.tree().filter { $0.contains(dead) } == ["repository/other/\(dead)"])
    }
}
