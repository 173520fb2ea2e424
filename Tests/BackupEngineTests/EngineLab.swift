import BackupAPI
import BackupEngine
import Codecs
import Glibc
import LocalBackend
import PostgresClient
import TestSupport

/// A repository in a folder of its own, and the operations on it as a program would run them.
struct EngineLab {
    let folder: TemporaryFolder
    let backend: any StorageBackend
    let codecs = StandardCodecs.registry
    let cryptography = OpenSSLCryptography()
    let masterKey: MasterKey?
    let workers = 2

    init(folder: TemporaryFolder, backend: (any StorageBackend)? = nil, isEncrypted: Bool = false) {
        self.folder = folder
        self.backend = backend ?? LocalBackend(path: folder.path("repository"))
        // The server that starts on a restored directory is not this process's user.
        unsafe chmod(folder.path, 0o755)
        masterKey = isEncrypted ? MasterKey(id: "lab", secret: Secret([UInt8](repeating: 7, count: 32))) : nil
    }

    /// The plan for a cluster.
    func plan(
        _ cluster: PostgresCluster, compression: String? = "zstd", encryption: String? = nil,
        manifestChecksums: String = "CRC32C"
    ) -> BackupPlan {
        var plan = BackupPlan(
            server: "primary",
            connection: PostgresClient.ConnectionSettings(
                host: cluster.socketFolder, port: cluster.port, user: cluster.superuser),
            compression: compression.flatMap { codecs.factory(named: $0) }.map { ($0, nil) },
            encryption: encryption.flatMap { codecs.factory(named: $0) }, workers: workers,
            manifestChecksums: manifestChecksums, cryptography: cryptography, version: "0.1.0",
            taker: LeaseTaker(host: "lab", process: getpid(), clock: { time(nil) }),
            clock: { Int(time(nil)) * 1000 })
        plan.masterKey = masterKey
        return plan
    }

    func backup(_ plan: BackupPlan) async throws -> BackupOutcome {
        try await BackupOperation(plan: plan, progress: ProgressCounter(activity: "")).run(
            to: [UploadTarget(name: "local", backend: backend)])
    }

    func catalog() async throws -> Catalog {
        let repository = try await Repository.open(
            name: "local", backend: backend, masterKey: masterKey, cryptography: cryptography)
        guard let repository else { throw ProgramError(description: "there is no repository") }
        return Catalog(repository: repository, server: "primary", cryptography: cryptography)
    }

    func verify(_ label: BackupLabel, depth: VerifyOperation.Depth = .content) async throws -> VerifyReport {
        try await VerifyOperation(
            catalog: catalog(), codecs: codecs, cryptography: cryptography, workers: workers,
            progress: ProgressCounter(activity: "")
        ).run(label, depth: depth)
    }

    func verifyChain(
        _ label: BackupLabel, depth: VerifyOperation.Depth = .content
    ) async throws -> [VerifyReport] {
        try await VerifyOperation(
            catalog: catalog(), codecs: codecs, cryptography: cryptography, workers: workers,
            progress: ProgressCounter(activity: "")
        ).runChain(label, depth: depth)
    }

    func restore(_ label: BackupLabel, to request: RestorePlan) async throws -> Snapshot {
        let chain = try await BackupChain.open(
            catalog: catalog(), label: label, codecs: codecs, cryptography: cryptography, workers: workers)
        return try await RestoreOperation(
            chain: chain, request: request, cryptography: cryptography, progress: ProgressCounter(activity: "")
        ).run()
    }

    /// Archives a backup, and unpacks the tar file in a new folder with `tar`.
    func archive(_ label: BackupLabel, unpackedIn target: String) async throws {
        let archives = folder.path("archives")
        let chain = try await BackupChain.open(
            catalog: catalog(), label: label, codecs: codecs, cryptography: cryptography, workers: workers)
        let destination = ArchiveDestination(
            backend: LocalBackend(path: archives), codecs: CodecChain([]), replaces: false)
        let outcome = try await ArchiveOperation(
            chain: chain, destination: destination, cryptography: cryptography,
            progress: ProgressCounter(activity: "")
        ).run()
        try Program.check("/bin/mkdir", [target])
        try Program.check("/bin/tar", ["xf", "\(archives)/\(outcome.name)", "-C", target])
        try Program.check("/bin/rm", ["\(archives)/\(outcome.name)"])
    }
}
