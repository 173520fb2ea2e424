import BackupAPI
import BackupEngine
import Glibc
import Logging
import PostgresClient

/// Answers the commands with the engine, in this process.
struct EngineService: BackupService {
    let session: Session
    let configuration: Configuration
    let options: ServiceOptions
    /// Threads on which calls may block.
    let pool = BlockingPool()
    /// What the operation has opened.
    let openTargets = OpenTargets()
    /// Secrets that were asked for already.
    let masterKeys = MasterKeyCache()

    func backup(_ request: BackupRequest, progress: ProgressCounter) async throws -> BackupAnswer {
        try await running(.backup, request.server.name, progress) {
            let opened = await opened(request.targets)
            guard !opened.targets.isEmpty else { throw opened.firstFailure ?? CancellationError() }
            var plan = try plan(request.server)
            plan.parent = request.parent.map {
                ParentRequest(identifier: $0.description, codecs: session.kit.codecs)
            }
            let outcome = try await BackupOperation(plan: plan, progress: progress).run(to: opened.targets)
            var summary = BackupSummary(outcome.record, codecs: session.kit.codecs)
            let outcomes = zip(outcome.targets, opened.targets).map { status, target in
                TargetOutcome(
                    status.name, failure: status.failure, durability: target.backend.capabilities.durability)
            }
            summary.targets = outcomes + opened.failed
            return BackupAnswer(summary)
        }
    }

    func list(_ request: BackupListRequest) async throws -> BackupListAnswer {
        try await running(.listBackup, request.server.name) {
            let view = try await view(request.server.name, request.targets)
            let summaries = view.labels.map { view.summary(of: $0, codecs: session.kit.codecs) }
            let newest = summaries.last { $0.validity == .yes }
            let identity = ServerIdentity(
                name: request.server.name, majorVersion: newest?.majorVersion, minorVersion: newest?.minorVersion)
            return BackupListAnswer(
                server: identity, backups: request.order == .ascending ? summaries : summaries.reversed(),
                targets: request.measuresFreeSpace ? try await view.measuredTargets() : view.targets)
        }
    }

    func info(_ request: InfoRequest) async throws -> BackupAnswer {
        try await running(.info, request.server.name) {
            let view = try await view(request.server.name, request.targets, for: request.identifier)
            let label = try view.label(request.identifier)
            if let damage = view.damage(of: label) { throw damage }
            var summary = view.summary(of: label, codecs: session.kit.codecs)
            summary.chain = try await view.chain(endingWith: label).map(\.string)
            return BackupAnswer(summary)
        }
    }

    func progress(_ request: ServerRequest) async throws -> RunningBaseBackup? {
        try await running(.progress, request.server.name) {
            let session = try await PostgresSession.open(connection(request.server))
            defer { session.close() }
            return try await session.runningBaseBackups().first
        }
    }

    func isOnline(_ request: ServerRequest) async throws -> Bool {
        let settings = try connection(request.server)
        return await withTaskExecutorPreference(pool) { settings.isAnswered() }
    }

    /// What a backup of the server shall be.
    private func plan(_ server: ServerSettings) throws -> BackupPlan {
        let codecs = session.kit.codecs
        let clock = session.clock
        let compression = server.compression.codec.flatMap { codecs.factory(named: $0) }
        var plan = BackupPlan(
            server: server.name, connection: try connection(server),
            compression: compression.map { ($0, server.compression.level) },
            encryption: server.encryption.flatMap { codecs.factory(named: $0) }, workers: Self.workers(server),
            manifestChecksums: server.manifest.rawValue.uppercased(), cryptography: session.kit.cryptography,
            version: ProgramVersion.text, taker: leaseTaker, clock: { clock.unixMilliseconds() })
        plan.masterKey = try masterKey(isRequired: server.encryption != nil)
        if server.maximumBytesPerSecond > 0 {
            // PostgreSQL takes 32 kB to 1 GB per second (documentation, "Streaming Replication Protocol").
            plan.maxRateInKilobytesPerSecond = min(1 << 20, max(32, server.maximumBytesPerSecond / 1024))
            plan.meter = BandwidthMeter(bytesPerSecond: server.maximumBytesPerSecond, clock: layerClock)
        }
        if server.compression.wire == .server, let compression {
            plan.wireCompression = .init(method: compression.name, level: server.compression.level)
            plan.wireCodec = try compression.make(server.compression.level, KeyRing())
        }
        return plan
    }

    func connection(_ server: ServerSettings) throws -> PostgresClient.ConnectionSettings {
        let wanted = server.connection
        var settings = PostgresClient.ConnectionSettings(host: wanted.host, port: wanted.port, user: wanted.user)
        settings.database = wanted.databaseName
        settings.tlsMode = wanted.sslMode.flatMap { .init(rawValue: $0) }
        settings.tlsCertificate = wanted.certificateFile
        settings.tlsKey = wanted.keyFile
        settings.tlsRootCertificate = wanted.authorityFile
        let users = UsersStore(
            path: Configuration.usersPath(besideConfiguration: configuration.fileName),
            cryptography: session.kit.cryptography, masterKey: masterKeyFile)
        settings.password = try users.password(of: wanted.user).map { PostgresPassword($0.revealText()) }
        return settings
    }

    /// The master key file, which seals passwords: the one that the user named, else the standard one.
    func masterKeyFile() throws -> MasterKeyFile {
        guard case .file(let path) = options.masterKeySource else { return try session.masterKeyFile(nil) }
        return try session.masterKeyFile(path)
    }

    /// The secret that opens encrypted backups; nil when there is none and none is needed. One that the user named is needed.
    func masterKey(isRequired: Bool) throws -> MasterKey? {
        let isRequired = isRequired || options.masterKeySource != .file(nil)
        do {
            return try masterKeys.key(options.masterKeySource, session)
        } catch let error as CommandError
            where [.masterKeyMissing, .fileFailed].contains(error.kind) && !isRequired
        {
            // PostgreSQL runs commands of ours with the HOME of who started it. What is encrypted then says that a key is missing.
            Logger.current.info("there is no master key", metadata: [LogKeys.error: "\(error.summary)"])
            return nil
        }
    }

    /// Who this process is when it takes leases.
    var leaseTaker: LeaseTaker {
        let clock = session.clock
        return LeaseTaker(
            host: Self.hostName, process: getpid(), instance: HostProcess.instance(of: getpid()),
            mayBeAlive: { HostProcess.mayBeAlive($0) }, clock: { clock.unixMilliseconds() / 1000 })
    }

    static func workers(_ server: ServerSettings) -> Int {
        server.workerCount(processors: Session.processorCount)
    }

    static var hostName: String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard unsafe gethostname(&buffer, buffer.count - 1) == 0 else { return "unknown" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
