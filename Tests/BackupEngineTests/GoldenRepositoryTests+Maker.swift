import BackupAPI
import Codecs
import PostgresClient
import TestSupport

@testable import BackupEngine

/// Makes the golden repository: the engine's own pipe, streams and commit, fed with small tar archives in place of
/// PostgreSQL's. Frames and volumes are small, so that every archive has several.
struct GoldenRepositoryMaker: Sendable {
    private static let format = FrameFormat(frameByteCount: 4096, framesPerVolume: 4)
    private static let now = 1_735_689_600
    private static let startLSN = LSN("0/2000028") ?? .zero
    private static let timeline = "00000001"
    let repository: GoldenRepository
    var forgery = Forgery()

    /// What somebody who may write into the place changes before all is stored, with digests that fit.
    struct Forgery: Sendable {
        var index: @Sendable (inout BackupIndex) -> Void = { _ in }
        var record: @Sendable (inout BackupRecord) -> Void = { _ in }
    }

    /// Makes it where nothing is yet.
    func run(_ backups: [GoldenBackup] = GoldenBackup.all) async throws {
        let target = repository.backend
        let made = try await Repository.openOrCreate(
            name: "golden", backend: target, isEncrypted: false, masterKey: nil, cryptography: repository.cryptography)
        try await made.requireCluster("7450000000000000001", server: "primary")
        let store = KeyStore(backend: target, cryptography: repository.cryptography)
        let (id, key) = try await store.create(for: GoldenRepository.masterKey, now: Self.now)
        var keys = KeyRing()
        keys.add(id: id, key: key, isCurrent: true)
        for backup in backups { try await make(backup, keys: keys) }
    }

    private func make(_ backup: GoldenBackup, keys: KeyRing) async throws {
        let chain = try GoldenRepository.chain(backup, keys: keys)
        let id = try Repository.newID(repository.cryptography)
        let target = UploadTarget(name: "golden", backend: repository.backend)
        let pipe = EncodePipe(
            chain: chain, format: Self.format, targets: [target], cryptography: repository.cryptography,
            binding: .backup(id: id), keyPrefix: Layout.backupPrefix("primary", backup.label), workers: 2)
        let plan = plan
        let content = try await pipe.run { [forgery] in try await Self.fill(pipe, plan, forgery) }
        let files = content.index.archives.flatMap(\.members).filter { $0.kind == .file }
        var record = BackupRecord(
            version: "0.1.0", id: id, server: "primary", label: backup.label, type: .full, parent: nil,
            systemIdentifier: "7450000000000000001", majorVersion: 17, minorVersion: 2,
            startLSN: content.start.startLSN.description, endLSN: content.end.endLSN.description,
            checkpointLSN: content.checkpointLSN, startTimeline: 1, endTimeline: 1,
            wal: Self.timeline + "0000000000000002", walSegmentBytes: 16 << 20, hasDataChecksums: false,
            startedAt: backup.label.secondsSince1970, endedAt: backup.label.secondsSince1970 + 1,
            elapsedMilliseconds: 1000, backupBytes: content.objects.reduce(0) { $0 + $1.bytes },
            restoreBytes: files.reduce(0) { $0 + $1.byteCount },
            biggestFileBytes: files.reduce(0) { max($0, $1.byteCount) }, fileCount: files.count,
            tablespaces: [.init(oid: 16385, location: "/srv/space")],
            codecs: chain.codecs.map { .init(name: $0.name, parameters: $0.parameters) }, frames: Self.format,
            manifestChecksums: "CRC32C", manifest: content.manifest, index: content.indexObject)
        forgery.record(&record)
        try await BackupCommit(plan: plan, keys: keys).run(record, objects: content.objects, to: [target])
    }

    private var plan: BackupPlan {
        BackupPlan(
            server: "primary", connection: ConnectionSettings(), compression: nil, encryption: nil, workers: 2,
            manifestChecksums: "CRC32C", cryptography: repository.cryptography, version: "0.1.0",
            taker: LeaseTaker(host: "golden", process: 1, clock: { Self.now }), clock: { Self.now * 1000 })
    }

    /// What `BackupTransfer` does with PostgreSQL.
    private static func fill(
        _ pipe: EncodePipe, _ plan: BackupPlan, _ forgery: Forgery
    ) async throws -> BackupContent {
        let tablespace = BaseBackupTablespace(oid: "16385", location: "/srv/space", sizeInKilobytes: nil)
        let streams = BackupStreams(
            pipe: pipe, plan: plan, started: Mailbox(), progress: ProgressCounter(activity: "test"))
        let tree = try GoldenTree()
        var manifest = GoldenManifest()
        for archive in [BaseBackupArchive(name: "16385", location: "/srv/space"), .base] {
            let tar = try tree.tar(archive.name)
            try await streams.archiveStarted(archive)
            try await streams.archiveBytes(unsafe tar.span.bytes)
            try await streams.archiveEnded()
        }
        for archive in streams.archives { manifest.add(archive.members, of: archive.name) }
        try await streams.manifestBytes(unsafe manifest.bytes(pipe.cryptography).span.bytes)
        let manifestObject = try await streams.finishManifest()
        let archives = (streams.archives + [try await wal(pipe, tree.tar("pg_wal"))]).map {
            BackupIndex.Archive(
                name: $0.name, location: $0.location, plainByteCount: $0.receipt.plainByteCount,
                headerByteCount: $0.receipt.headerByteCount, volumes: $0.receipt.volumes, frames: $0.receipt.frames,
                members: $0.members)
        }
        var index = BackupIndex(archives: archives)
        forgery.index(&index)
        let path = Layout.indexName + pipe.chain.suffix
        let indexStream = pipe.beginStream(framesPerVolume: nil) { _ in path }
        try await indexStream.write(index.encoded())
        return BackupContent(
            start: BaseBackupStart(
                startLSN: startLSN, timeline: .first, tablespaces: [tablespace], estimatedByteCount: nil),
            end: BaseBackupEnd(endLSN: LSN("0/2000120") ?? .zero, timeline: .first), checkpointLSN: "0/2000080",
            tablespaces: [tablespace], index: index, manifest: manifestObject,
            indexObject: try await indexStream.finish().onlyVolume)
    }

    /// A segment of 16 MiB is too much for a vector; what the archive holds does not matter to its format.
    private static func wal(_ pipe: EncodePipe, _ tar: [UInt8]) async throws -> FinishedArchive {
        let suffix = pipe.chain.suffix
        let stream = pipe.beginStream(framesPerVolume: pipe.format.framesPerVolume) { volume in
            Layout.volumePath(archive: "pg_wal", volume: volume, suffix: suffix)
        }
        let tap = ArchiveTap(makeDigest: nil)
        try tap.consume(unsafe tar.span.bytes)
        try tap.finish("pg_wal")
        try await stream.write(tar)
        return FinishedArchive(name: "pg_wal", location: "", receipt: try await stream.finish(), members: tap.members)
    }
}

/// The files of every golden backup.
private struct GoldenTree {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        let label = """
            START WAL LOCATION: 0/2000028 (file 000000010000000000000002)
            CHECKPOINT LOCATION: 0/2000080
            BACKUP METHOD: streamed

            """
        try folder.write(Array("17\n".utf8), to: "base/PG_VERSION")
        try folder.write(Array(label.utf8), to: "base/backup_label")
        try folder.write(Self.noise(4500, seed: 1), to: "base/global/pg_control")
        try folder.write((0..<8192).map { UInt8($0 / 64 % 7) }, to: "base/base/1/1259")
        try folder.write(Self.noise(3000, seed: 2), to: "base/base/1/2619")
        try folder.write([], to: "base/base/1/3456")
        try folder.write(Array("ü\n".utf8), to: "base/a name with spaces and ü")
        try folder.write(Self.noise(1500, seed: 3), to: "16385/PG_17_202406281/5/16390")
        try folder.write(Self.noise(4200, seed: 4), to: "pg_wal/000000010000000000000002")
        try folder.write([], to: "pg_wal/archive_status/000000010000000000000002.done")
        try Program.check(
            "/bin/mkdir", ["-p", folder.path("base/pg_wal/archive_status"), folder.path("base/pg_tblspc")])
        try Program.check("/bin/ln", ["-s", "/srv/space", folder.path("base/pg_tblspc/16385")])
        try Program.check("/bin/chmod", ["-R", "u=rwX,go=", folder.path])
    }

    /// One archive, as PostgreSQL's tar format has it.
    func tar(_ archive: String) throws -> [UInt8] {
        let format = ["--format=ustar", "-b", "2", "--sort=name", "--mtime=@1735689600", "--owner=0", "--group=0"]
        let outcome = try Program.run("/bin/tar", format + ["--numeric-owner", "-C", folder.path(archive), "-c", "."])
        guard outcome.status == 0 else { throw ProgramError(description: outcome.errorText) }
        return outcome.output
    }

    /// Bytes that do not compress (a linear congruential generator, Numerical Recipes' constants).
    private static func noise(_ count: Int, seed: UInt32) -> [UInt8] {
        var state = seed
        return (0..<count).map { _ in
            state = state &* 1_664_525 &+ 1_013_904_223
            return UInt8(state >> 24)
        }
    }
}

/// A `backup_manifest` of version 1 (PostgreSQL documentation, "Backup Manifest Format").
private struct GoldenManifest {
    private var files: [String] = []

    mutating func add(_ members: [Member], of archive: String) {
        let prefix = archive == "base" ? "" : "pg_tblspc/\(archive)/"
        for member in members where member.kind == .file {
            let checksum = hexadecimal((0..<4).map { UInt8(truncatingIfNeeded: member.checksum >> (8 * $0)) })
            files.append(
                "{ \"Path\": \"\(prefix)\(member.path)\", \"Size\": \(member.byteCount), "
                    + "\"Last-Modified\": \"2025-01-01 00:00:00 GMT\", \"Checksum-Algorithm\": \"CRC32C\", "
                    + "\"Checksum\": \"\(checksum)\" }")
        }
    }

    func bytes(_ cryptography: any Cryptography) -> [UInt8] {
        let ranges = "{ \"Timeline\": 1, \"Start-LSN\": \"0/2000028\", \"End-LSN\": \"0/2000120\" }"
        let text =
            "{ \"PostgreSQL-Backup-Manifest-Version\": 1,\n\"Files\": [\n" + files.joined(separator: ",\n")
            + "\n],\n\"WAL-Ranges\": [\n\(ranges)\n],\n"
        let digest = cryptography.makeDigest(.sha256)
        digest.update(unsafe Array(text.utf8).span.bytes)
        return Array((text + "\"Manifest-Checksum\": \"\(hexadecimal(digest.finish()))\"}\n").utf8)
    }
}
