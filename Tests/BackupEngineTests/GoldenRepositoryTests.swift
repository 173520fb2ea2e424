import BackupAPI
import BackupConformance
import Codecs
import Glibc
import TestSupport
import Testing

@testable import BackupEngine

/// A repository that an earlier version wrote must always be readable: Tests/Vectors/repository-1 is format 1, byte for byte.
///
/// It holds one small backup for each codec. All have the same content, whose digests are in `repository-1.sha256`. How it was
/// made stands in `GoldenRepositoryMaker`; a new format gets a new repository beside it, and this one is never changed.
@Suite struct GoldenRepositoryTests {
    @Test(arguments: GoldenBackup.all)
    func `a golden backup is sound and restores to the recorded digests`(_ backup: GoldenBackup) async throws {
        let repository = GoldenRepository(path: GoldenRepository.committed)

        try await Self.requireReadable(backup, in: repository)
    }

    /// The usual programs see what FORMAT.md and RECOVERY.md promise.
    @Test(arguments: GoldenBackup.all)
    func `the usual tools read a golden backup`(_ backup: GoldenBackup) throws {
        let folder = try TemporaryFolder()
        let source = GoldenRepository.committed + "/primary/backup/\(backup.label)"

        try Program.check("/bin/sh", ["-c", "cd '\(source)' && sha512sum --check --quiet --strict backup.sha512"])

        guard backup.encryption == nil else { return }
        let unpack = ["gzip": "gzip -dc", "zstd": "zstd -dc", "lz4": "lz4 -dc", "bzip2": "bzip2 -dc"]
        let script = """
            set -eu
            mkdir data space
            cat '\(source)'/data/base.*.tar$suffix | $unpack | tar -x -C data
            cat '\(source)'/data/pg_wal.*.tar$suffix | $unpack | tar -x -C data/pg_wal
            cat '\(source)'/data/16385.*.tar$suffix | $unpack | tar -x -C space
            cat '\(source)'/backup.manifest$suffix | $unpack > data/backup_manifest
            sha256sum --check --quiet --strict '\(GoldenRepository.digests)'
            """
        let suffix = try GoldenRepository.chain(backup, keys: KeyRing()).suffix
        let variables = ["unpack": backup.compression.flatMap { unpack[$0] } ?? "cat", "suffix": suffix]
        try Program.check("/bin/sh", ["-c", "cd '\(folder.path)' && \(script)"], environment: variables)
    }

    @Test func `the golden repository holds one backup for each codec`() async throws {
        let entries = try await onPool {
            try await GoldenRepository(path: GoldenRepository.committed).catalog().entries()
        }

        #expect(entries.map(\.label) == GoldenBackup.all.map(\.label))
        #expect(entries.filter(\.isValid).count == entries.count)
        let used = Set(GoldenBackup.all.flatMap { [$0.compression, $0.encryption] }.compactMap { $0 })
        #expect(used == Set(StandardCodecs.registry.factories.map(\.name)))
    }

    @Test(arguments: GoldenBackup.all)
    func `a changed bit in any object of a golden backup is found`(_ backup: GoldenBackup) async throws {
        try await onPool {
            let (repository, place) = try await GoldenRepository.inMemory()
            #expect(try await repository.isSound(backup.label, depth: .stored))
            for key in place.keys where key.string.hasPrefix(Layout.backupPrefix("primary", backup.label)) {
                let whole = try await place.read(key, limit: 1 << 20)
                for position in [0, whole.count / 2, whole.count - 1] {
                    place.damage(key) { $0[position] ^= 0x04 }
                    #expect(try await !repository.isSound(backup.label, depth: .content), "\(key) byte \(position)")
                    place.plant(whole, at: key)
                }
            }
        }
    }

    /// With `PGMONETA_MAKE_VECTORS` set to a folder that does not exist yet, the repository is made there and kept.
    @Test func `what this version writes is read like the golden repository`() async throws {
        let folder = try TemporaryFolder()
        let kept = unsafe getenv("PGMONETA_MAKE_VECTORS").map { unsafe String(cString: $0) }
        let repository = GoldenRepository(path: kept ?? folder.path("repository"))

        try await onPool { try await GoldenRepositoryMaker(repository: repository).run() }

        for backup in GoldenBackup.all { try await Self.requireReadable(backup, in: repository) }
    }

    private static func requireReadable(_ backup: GoldenBackup, in repository: GoldenRepository) async throws {
        let folder = try TemporaryFolder()
        try await onPool {
            #expect(try await repository.isSound(backup.label, depth: .stored))
            #expect(try await repository.isSound(backup.label, depth: .content))
            let request = RestorePlan(
                dataDirectory: folder.path("data"), tablespaceMapping: ["/srv/space": folder.path("space")])
            _ = try await RestoreOperation(
                chain: repository.chain(backup.label), request: request, cryptography: repository.cryptography,
                progress: ProgressCounter(activity: "test")
            ).run()
        }
        try Program.check(
            "/bin/sh",
            ["-c", "cd '\(folder.path)' && sha256sum --check --quiet --strict '\(GoldenRepository.digests)'"])
        let expected = try Program.check("/bin/cat", [GoldenRepository.digests]).split(separator: "\n").map {
            String($0.dropFirst(66))
        }
        let link = "data/pg_tblspc/16385"
        #expect(try folder.tree().filter { !$0.hasSuffix("/") && !$0.hasPrefix(link) } == expected)
        #expect(try Program.check("/bin/readlink", [folder.path(link)]) == folder.path("space") + "\n")
    }
}
