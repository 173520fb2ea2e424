import BackupAPI
import BackupConformance
import Codecs
import LocalBackend
import TestSupport
import Testing

@testable import BackupEngine

/// One backup of the golden repository.
struct GoldenBackup: Sendable, CustomTestStringConvertible {
    let label: BackupLabel
    let compression: String?
    let encryption: String?
    var testDescription: String { [compression, encryption].compactMap { $0 }.joined(separator: "+") }

    /// One for each compression, and one for each encryption behind zstd. The labels count the seconds.
    static let all: [GoldenBackup] = {
        let compressions = [nil, "gzip", "zstd", "lz4", "bzip2"].map { ($0, String?.none) }
        let encryptions = ["gcm", "cbc", "ctr"].flatMap { chaining in
            [256, 192, 128].map { (String?("zstd"), String?("aes-\($0)-\(chaining)")) }
        }
        return (compressions + encryptions).enumerated().map { number, codecs in
            GoldenBackup(
                label: BackupLabel(secondsSince1970: 1_735_689_600 + number), compression: codecs.0,
                encryption: codecs.1)
        }
    }()
}

/// The golden repository, or another one of the same shape.
struct GoldenRepository: Sendable {
    private static let vectors =
        #filePath.split(separator: "/").dropLast(2).reduce("") { "\($0)/\($1)" } + "/Vectors"
    /// The repository that is part of the sources.
    static let committed = vectors + "/repository-1"
    /// What each of its backups restores to, for `sha256sum --check`, sorted by path.
    static let digests = vectors + "/repository-1.sha256"
    /// The bytes 0 to 31. It opens nothing but test data.
    static let masterKey = MasterKey(id: "golden", secret: Secret((0..<32).map { UInt8($0) }))

    let backend: any StorageBackend
    let cryptography = OpenSSLCryptography()

    init(backend: any StorageBackend) { self.backend = backend }

    init(path: String) { self.init(backend: LocalBackend(path: path)) }

    /// A copy of the committed repository that may be damaged.
    static func inMemory() async throws -> (golden: GoldenRepository, place: MemoryBackend) {
        let source = LocalBackend(path: committed)
        let place = MemoryBackend()
        try await source.forEachEntry(ListRequest(prefix: "")) { entry in
            guard case .object(let info) = entry else { return }
            place.plant(try await source.read(info.key, limit: 1 << 20), at: info.key)
        }
        return (GoldenRepository(backend: place), place)
    }

    /// The chain that a backup is encoded with.
    static func chain(_ backup: GoldenBackup, keys: KeyRing) throws -> CodecChain {
        CodecChain(
            try [backup.compression, backup.encryption].compactMap { $0 }.map { name in
                let factory = try #require(StandardCodecs.registry.factory(named: name))
                return try factory.make(nil, keys)
            })
    }

    func catalog() async throws -> Catalog {
        let repository = try await Repository.open(
            name: "golden", backend: backend, masterKey: Self.masterKey, cryptography: cryptography)
        return Catalog(repository: try #require(repository), server: "primary", cryptography: cryptography)
    }

    func chain(_ label: BackupLabel) async throws -> BackupChain {
        try await BackupChain.open(
            catalog: catalog(), label: label, codecs: StandardCodecs.registry, cryptography: cryptography, workers: 2)
    }

    /// Whether a verification finds nothing; what cannot even be opened, as with a codec that nobody knows, is not sound.
    func isSound(_ label: BackupLabel, depth: VerifyOperation.Depth) async throws -> Bool {
        do {
            return try await VerifyOperation(
                catalog: catalog(), codecs: StandardCodecs.registry, cryptography: cryptography, workers: 2,
                progress: ProgressCounter(activity: "test")
            ).runChain(label, depth: depth).allSatisfy(\.isSound)
        } catch is EngineError {
            return false
        }
    }
}
