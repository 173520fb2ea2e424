import BackupAPI
import BackupEngine
import Glibc
import PostgresClient

/// Answers the commands with the engine, in this process.
struct EngineService: BackupService {
    let session: Session
    let configuration: Configuration
    /// Threads on which calls may block.
    let pool = BlockingPool()
    /// What the operation has opened.
    let openTargets = OpenTargets()

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
            summary.targets = outcome.targets.map { TargetOutcome($0.name, failure: $0.failure) } + opened.failed
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
                server: identity, backups: request.order == .ascending ? summaries : summaries.reversed())
        }
    }

    func info(_ request: InfoRequest) async throws -> BackupAnswer {
        try await running(.info, request.server.name) {
            let view = try await view(request.server.name, request.targets, for: request.identifier)
            let label = try view.label(request.identifier)
            if let damage = view.damage(of: label) { throw damage }
            return BackupAnswer(view.summary(of: label, codecs: session.kit.codecs))
        }
    }

    func restore(_ request: RestoreRequest, progress: ProgressCounter) async throws -> RestoreAnswer {
        try request.position.requireOwnEnd()
        return try await running(.restore, request.server.name, progress) {
            let view = try await view(request.server.name, request.targets, for: request.identifier)
            let label = try view.label(request.identifier)
            if let damage = view.damage(of: label) { throw damage }
            guard let catalog = view.catalogs(with: label).first else {
                throw EngineError(.unknownBackup, "'\(label)'")
            }
            let chain = try await BackupChain.open(
                catalog: catalog, label: label, codecs: session.kit.codecs, cryptography: session.kit.cryptography,
                workers: Self.workers(request.server))
            let directory = AbsolutePath.of(request.directory) + "/\(request.server.name)-\(label)"
            let mapping = Dictionary(request.tablespaceMappings.map { ($0.old, $0.new) }) { $1 }
            let engineRequest = RestorePlan(
                dataDirectory: directory, tablespaceMapping: mapping, replaces: request.isForced)
            _ = try await RestoreOperation(
                chain: chain, request: engineRequest, cryptography: session.kit.cryptography, progress: progress
            ).run()
            return RestoreAnswer(view.summary(of: label, codecs: session.kit.codecs), directory: directory)
        }
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
            version: ProgramVersion.text, host: Self.hostName, process: getpid(), clock: { clock.unixMilliseconds() })
        plan.processInstance = HostProcess.instance(of: getpid())
        plan.mayBeAlive = { HostProcess.mayBeAlive($0) }
        plan.masterKey = try masterKey(isRequired: server.encryption != nil)
        if server.maximumBytesPerSecond > 0 {
            // PostgreSQL takes 32 kB to 1 GB per second (documentation, "Streaming Replication Protocol").
            plan.maxRateInKilobytesPerSecond = min(1 << 20, max(32, server.maximumBytesPerSecond / 1024))
        }
        if server.compression.wire == .server, let compression {
            plan.wireCompression = .init(method: compression.name, level: server.compression.level)
            plan.wireCodec = try compression.make(server.compression.level, KeyRing())
        }
        return plan
    }

    private func connection(_ server: ServerSettings) throws -> PostgresClient.ConnectionSettings {
        let wanted = server.connection
        var settings = PostgresClient.ConnectionSettings(host: wanted.host, port: wanted.port, user: wanted.user)
        settings.database = wanted.databaseName
        settings.tlsMode = wanted.sslMode.flatMap { .init(rawValue: $0) }
        settings.tlsCertificate = wanted.certificateFile
        settings.tlsKey = wanted.keyFile
        settings.tlsRootCertificate = wanted.authorityFile
        let users = UsersStore(
            path: Self.usersPath(beside: configuration.fileName), masterKey: try masterKeyFile(),
            cryptography: session.kit.cryptography)
        settings.password = try users.password(of: wanted.user).map { PostgresPassword($0.revealText()) }
        return settings
    }

    /// The users file stands beside the configuration.
    private static func usersPath(beside configuration: String) -> String {
        let folder = configuration.lastIndex(of: "/").map { String(configuration[...$0]) } ?? ""
        return folder + "pgmoneta_users.conf"
    }

    func masterKeyFile() throws -> MasterKeyFile {
        MasterKeyFile(
            path: try MasterKeyFile.standardPath(session.environment), cryptography: session.kit.cryptography)
    }

    /// The master key; nil when there is none and none is needed.
    func masterKey(isRequired: Bool) throws -> MasterKey? {
        do {
            return try masterKeyFile().load()
        } catch let error as CommandError where error.kind == .masterKeyMissing && !isRequired {
            return nil
        }
    }

    static func workers(_ server: ServerSettings) -> Int {
        server.workers > 0 ? server.workers : max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    }

    static var hostName: String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard unsafe gethostname(&buffer, buffer.count - 1) == 0 else { return "unknown" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension RestorePosition {
    /// - Throws: when recovery would need WAL that is not part of the backup.
    fileprivate func requireOwnEnd() throws(UsageError) {
        switch target {
        case nil, .current, .immediate: break
        default:
            throw UsageError(
                "this version restores a backup to its own end",
                remedy: "Leave the position away, or write 'immediate'.")
        }
        guard isInclusive == nil, timeline == nil, action == nil, role == .primary else {
            throw UsageError(
                "this version restores a backup to its own end, as a primary", remedy: "Leave the position away.")
        }
    }
}
