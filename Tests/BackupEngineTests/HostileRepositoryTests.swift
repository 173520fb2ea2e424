import BackupAPI
import BackupConformance
import Codecs
import TestSupport
import Testing

@testable import BackupEngine

/// Who owns the storage may change, swap and replay what is in it. A restore then ends with its reason, and writes nothing anywhere else
/// than in the folders that it was given.
@Suite struct HostileRepositoryTests {
    /// A backup with digests that fit, which nothing authenticates because it is plain.
    struct Forged: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let forgery: GoldenRepositoryMaker.Forgery

        static func index(_ words: String, _ change: @escaping @Sendable (inout BackupIndex) -> Void) -> Forged {
            Forged(testDescription: words, forgery: .init(index: change))
        }

        static func record(_ words: String, _ change: @escaping @Sendable (inout BackupRecord) -> Void) -> Forged {
            Forged(testDescription: words, forgery: .init(record: change))
        }

        /// A member that is added to an archive.
        static func member(_ kind: Member.Kind, _ path: String, of name: String = "base", to link: String = "")
            -> Forged
        {
            index("\(kind) \(path) of \(name)") { index in
                let member = Member(
                    kind: kind, path: path, mode: 0o4777, modifiedAt: 0, byteCount: 0, offset: 0, linkTarget: link)
                for number in index.archives.indices where index.archives[number].name == name {
                    index.archives[number].members.append(member)
                }
            }
        }

        static let paths: [Forged] = [
            member(.file, "../outside/evil"), member(.file, "/tmp/evil"), member(.file, "base/../../outside/evil"),
            member(.file, "."), member(.file, "base//evil"), member(.file, "a\nb"), member(.file, ""),
            member(.folder, "../outside/evil"), member(.file, "../base/evil", of: "pg_wal"),
            member(.file, "../outside/evil", of: "16385"), member(.file, "authorized_keys", of: "16385"),
            member(.folder, "evil", of: "16385"), member(.link, "PG_17_202406281/5", of: "16385", to: "/tmp"),
            member(.link, "evil", to: "/tmp"), member(.link, "pg_tblspc/x", to: "/tmp"),
            member(.link, "pg_tblspc/16385/x", to: "/tmp"), member(.link, "pg_tblspc/../16385", to: "/tmp"),
            member(.link, "archive_status", of: "pg_wal", to: "/tmp"), member(.file, "pg_tblspc/16385/PG_17/evil"),
            member(.file, "pg_tblspc/16385"), member(.folder, "pg_tblspc/16385"),
        ]

        static let indexes: [Forged] = [
            index("an archive elsewhere") { $0.archives[0].name = "../outside" },
            index("an archive twice") { $0.archives.append($0.archives[0]) },
            index("files that are larger than what is stored") { index in
                for member in index.archives[1].members.indices {
                    index.archives[1].members[member].byteCount = 1 << 59
                }
                index.archives[1].plainByteCount = (1 << 60) - 1
            },
            index("one byte in many files") { index in
                for member in index.archives[1].members where member.kind == .file {
                    var again = member
                    again.path += "-again"
                    index.archives[1].members.append(again)
                }
            },
            index("files in disorder") { $0.archives[1].members.reverse() },
            index("archives whose sizes have no sum") { index in
                for number in index.archives.indices { index.archives[number].plainByteCount = (1 << 60) - 1 }
            },
            index("a header of gigabytes") { $0.archives[1].headerByteCount = Int(UInt32.max) },
            index("a frame of gigabytes") { $0.archives[1].frames[0].byteCount = .max },
            index("no frames") { $0.archives[1].frames = [] },
        ]

        static let records: [Forged] = [
            record("volumes without end") { $0.frames = FrameFormat(frameByteCount: 4096, framesPerVolume: .max) },
            record("volumes of nothing") { $0.frames = FrameFormat(frameByteCount: 4096, framesPerVolume: 0) },
            record("frames without end") { $0.frames = FrameFormat(frameByteCount: .max, framesPerVolume: 4) },
            record("frames of less than nothing") { $0.frames = FrameFormat(frameByteCount: .min, framesPerVolume: 4) },
            record("sizes without end") { $0.restoreBytes = .max },
            record("times without end") { $0.elapsedMilliseconds = .min },
            record("an end that has no microseconds") { $0.endedAt = 1 << 50 },
            record("a tablespace that is not there") { $0.tablespaces = [] },
            record("a parent in itself") {
                $0.type = .incremental
                $0.parent = $0.label
                $0.parentID = $0.id
            },
            record("a codec that nobody knows") { $0.codecs = [.init(name: "../evil", parameters: [:])] },
            record("an index of exabytes") { $0.index.bytes = .max },
            record("an index elsewhere") { $0.index.path = "../../../other/backup.index" },
            record("a manifest elsewhere") { $0.manifest.path = "/etc/passwd" },
        ]
    }

    private static func restore(
        _ label: BackupLabel = GoldenBackup.all[0].label, of golden: GoldenRepository, in folder: TemporaryFolder
    ) async throws {
        let request = RestorePlan(
            dataDirectory: folder.path("data"), tablespaceMapping: ["/srv/space": folder.path("space")])
        _ = try await RestoreOperation(
            chain: golden.chain(label), request: request, cryptography: golden.cryptography,
            progress: ProgressCounter(activity: "test")
        ).run()
    }

    private static func make(_ forgery: GoldenRepositoryMaker.Forgery) async throws -> GoldenRepository {
        let golden = GoldenRepository(backend: MemoryBackend())
        try await GoldenRepositoryMaker(repository: golden, forgery: forgery).run([GoldenBackup.all[0]])
        return golden
    }

    @Test(arguments: Forged.paths + Forged.indexes + Forged.records)
    func `what somebody forged is refused, and nothing is written elsewhere`(_ forged: Forged) async throws {
        let folder = try TemporaryFolder()
        try folder.write(Array("mine".utf8), to: "outside/mine")
        let before = try folder.tree()
        try await onPool {
            let golden = try await Self.make(forged.forgery)

            await #expect(throws: (any Error).self) { try await Self.restore(of: golden, in: folder) }
            #expect(try await !golden.isSound(GoldenBackup.all[0].label, depth: .content))
        }
        let left = try folder.tree().filter { $0 != "data/" && $0 != "space/" }
        #expect(left == before.filter { $0 != "data/" && $0 != "space/" })
    }

    @Test func `what nobody forged is restored`() async throws {
        let folder = try TemporaryFolder()
        try await onPool {
            let golden = try await Self.make(.init())

            try await Self.restore(of: golden, in: folder)
            #expect(try await golden.isSound(GoldenBackup.all[0].label, depth: .content))
        }
        #expect(try folder.tree().contains("data/PG_VERSION"))
    }

    /// Labels of the golden repository's encrypted backups: only who has the key can make one.
    private static let encrypted = GoldenBackup.all.filter { $0.encryption != nil }.map(\.label)

    @Test(arguments: encrypted)
    func `an encrypted backup in place of another, as a whole or in parts, is refused`(_ label: BackupLabel)
        async throws
    {
        let other = try #require(Self.encrypted.first { $0 != label })
        try await onPool {
            let (golden, place) = try await GoldenRepository.inMemory()
            let prefix = Layout.backupPrefix("primary", label)
            let keys = place.keys.filter { $0.string.hasPrefix(prefix) }
            func replay(_ keys: [ObjectKey]) async throws {
                for key in keys {
                    let source = Layout.backupPrefix("primary", other) + key.string.dropFirst(prefix.count)
                    place.plant(try await place.read(ObjectKey(source), limit: 1 << 20), at: key)
                }
            }
            var originals: [ObjectKey: [UInt8]] = [:]
            for key in keys { originals[key] = try await place.read(key, limit: 1 << 20) }
            for some in keys.map({ [$0] }) + [keys, keys.filter { !$0.string.contains("/data/") }] {
                try await replay(some)
                #expect(try await !golden.isSound(label, depth: .content), "\(some)")
                let folder = try TemporaryFolder()
                await #expect(throws: (any Error).self, "\(some)") {
                    try await Self.restore(label, of: golden, in: folder)
                }
                for (key, bytes) in originals { place.plant(bytes, at: key) }
            }
            #expect(try await golden.isSound(label, depth: .content))
        }
    }

    @Test func `the backups of one server are not those of another`() async throws {
        try await onPool {
            let (golden, place) = try await GoldenRepository.inMemory()
            for key in place.keys where key.string.hasPrefix("primary/") {
                let moved = try ObjectKey("other/" + key.string.dropFirst("primary/".count))
                place.plant(try await place.read(key, limit: 1 << 20), at: moved)
            }
            let catalog = try await golden.catalog()
            let other = Catalog(repository: catalog.repository, server: "other", cryptography: golden.cryptography)

            let entries = try await other.entries()

            #expect(entries.count == GoldenBackup.all.count)
            #expect(entries.filter(\.isValid).isEmpty)
        }
    }
}
