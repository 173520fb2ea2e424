import Testing

@testable import BackupEngine

@Suite struct RestoredModesTests {
    private static func modes(ofGlobal mode: UInt32) async throws -> RestoredModes {
        let golden = try await GoldenRepository.inMemory().golden
        var snapshot = try await onPool { try await golden.chain(GoldenBackup.all[0].label).snapshot() }
        let global = try #require(snapshot.folders.firstIndex { $0.path == "global" })
        snapshot.folders[global].mode = mode
        return RestoredModes(snapshot)
    }

    @Test(arguments: [(0o700, 0o700, 0o600), (0o750, 0o750, 0o640), (0o740, 0o700, 0o600), (0o777, 0o750, 0o640)])
    func `the data directory has the bits of the folder 'global', and so has what we add`(
        global: UInt32, root: UInt32, file: UInt32
    ) async throws {
        let modes = try await Self.modes(ofGlobal: global)

        #expect(modes.root == root)
        #expect(modes.ownFile == file)
        #expect(modes.file(0o600, in: .wal) == file)
    }

    @Test func `files and folders keep their bits, where PostgreSQL lets them be`() async throws {
        let modes = try await Self.modes(ofGlobal: 0o750)

        #expect(
            [0o600, 0o640, 0o644, 0o777, 0o400, 0o4755].map { modes.file($0, in: .data) } == [
                0o600, 0o640, 0o640, 0o640, 0o600, 0o640,
            ])
        #expect([0o700, 0o750, 0o755, 0o740, 0o500].map { modes.folder($0) } == [0o700, 0o750, 0o750, 0o700, 0o700])
    }
}
