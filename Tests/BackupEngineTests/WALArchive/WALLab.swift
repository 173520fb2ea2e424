import BackupAPI
import BackupConformance
import BackupEngine
import Codecs
import Foundation
import Glibc
import LocalBackend
import PostgresClient
import TestSupport
import Testing

/// WAL archives in folders of their own, and what archives into them and fetches from them.
struct WALLab {
    let folder: TemporaryFolder
    let codecs = StandardCodecs.registry
    let cryptography = OpenSSLCryptography()
    private let masterKey = MasterKey(id: "lab", secret: Secret([UInt8](repeating: 7, count: 32)))

    init() throws { folder = try TemporaryFolder() }

    /// A place for backups, empty at first.
    func backend(_ name: String = "one") -> any StorageBackend { LocalBackend(path: folder.path(name)) }

    /// Writes a file as PostgreSQL would have it in `pg_wal`.
    /// - Returns: its path.
    func file(_ name: String, _ bytes: [UInt8]) throws -> String {
        let path = folder.path("source-\(UInt64.random(in: .min ... .max))")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        try Data(bytes).write(to: URL(filePath: "\(path)/\(name)"))
        return "\(path)/\(name)"
    }

    func file(_ segment: SampleSegment) throws -> String { try file(segment.name, segment.bytes) }

    func push(
        _ path: String, to backends: [any StorageBackend], compression: String? = "zstd", encryption: String? = nil
    ) async throws -> WALPushOutcome {
        let plan = WALPushPlan(
            server: "primary", compression: compression.flatMap { codecs.factory(named: $0) }.map { ($0, nil) },
            encryption: encryption.flatMap { codecs.factory(named: $0) }, masterKey: masterKey, workers: 2,
            codecs: codecs, cryptography: cryptography, clock: { time(nil) })
        let targets = backends.enumerated().map { UploadTarget(name: "target\($0.offset)", backend: $0.element) }
        return try await WALPush(plan: plan).run(path, to: targets)
    }

    func archive(_ backend: any StorageBackend) async throws -> WALArchive {
        let repository = try await Repository.open(
            name: "target", backend: backend, masterKey: masterKey, cryptography: cryptography)
        return WALArchive(
            repository: try #require(repository), server: "primary", codecs: codecs, cryptography: cryptography)
    }

    /// Where fetched files come to stand.
    func restored(_ name: String = "RECOVERYXLOG") -> String { folder.path(name) }

    /// What is fetched ahead waits here.
    var spool: String { folder.path("spool") }

    func fetch(
        _ name: String, from backends: [any StorageBackend], ahead: Int = 0, to path: String? = nil,
        patience: Duration = .seconds(3600), waitingLimit: Duration = .seconds(3600),
        now: @escaping @Sendable () -> Int = { time(nil) }
    ) async throws -> Bool {
        let sources = backends.enumerated().map { number, backend in
            WALSource(name: "target\(number)") { try await archive(backend) }
        }
        let spool = WALSpool(folder: spool)
        return try await WALFetch(
            sources: sources, spool: spool, aheadCount: ahead, waitingLimit: waitingLimit, clock: now,
            startPrefetch: { name, lock in
                Task {
                    try await WALPrefetch(sources: sources, spool: spool, aheadCount: ahead, patience: patience)
                        .run(after: name, holding: lock)
                }
            }
        ).run(try #require(WALFileName(name)), to: path ?? restored())
    }

    /// Waits until the spool holds these segments and no others; false when that does not come.
    func spoolHolds(_ names: [String]) async throws -> Bool {
        try await comes { waiting == names }
    }

    /// Waits until there is no spool.
    func spoolIsGone() async throws -> Bool {
        try await comes { !FileManager.default.fileExists(atPath: spool) }
    }

    /// Waits for something, as long as it may take beside all other tests; false when it does not come.
    func comes(_ fits: () throws -> Bool) async throws -> Bool {
        let deadline = ContinuousClock.now + .seconds(600)
        while .now < deadline {
            if try fits() { return true }
            try await Task.sleep(for: .milliseconds(20))
        }
        return false
    }

    /// The segments in the spool.
    private var waiting: [String] { self.names(in: spool).filter { $0.hasPrefix("0") }.map { String($0.prefix(24)) } }

    func bytes(_ path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(filePath: path))) }

    func names(in path: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
    }

    /// All objects of a WAL archive, as paths in its folder.
    func objects(_ name: String = "one", timeline: String = "00000001") -> [String] {
        names(in: folder.path("\(name)/primary/wal/\(timeline)"))
    }

    /// What a target does that does not answer.
    static let fault = Fault.failBefore(
        StorageError(.unavailable, operation: .read, target: "dead"))

    /// Changes a bit in the middle of a stored object.
    func damage(_ object: String, in name: String = "one") throws {
        let path = folder.path("\(name)/primary/wal/00000001/\(object)")
        var content = try bytes(path)
        content[content.count / 2] ^= 1
        try Data(content).write(to: URL(filePath: path))
    }
}
