import BackupAPI
import BackupEngine

extension EngineService {
    /// Targets that were opened, and those that could not be.
    struct OpenedTargets: Sendable {
        var targets: [UploadTarget] = []
        var failed: [TargetOutcome] = []
        var firstFailure: (any Error)?
    }

    /// Opens targets; one that cannot be opened does not spoil the others.
    func opened(_ definitions: [TargetDefinition]) async -> OpenedTargets {
        var opened = OpenedTargets()
        for definition in definitions {
            do {
                opened.targets.append(UploadTarget(name: definition.name, backend: try await open(definition)))
            } catch {
                opened.failed.append(TargetOutcome(definition.name, failure: error))
                opened.firstFailure = opened.firstFailure ?? error
            }
        }
        return opened
    }

    /// Opens one target until the end of the operation.
    /// - Parameter bandwidth: limits all targets that are given the same one; nil is no limit.
    func open(_ definition: TargetDefinition, bandwidth: BandwidthMeter? = nil) async throws -> any StorageBackend {
        let counters = StorageCounters()
        let backend = try await connect(definition, bandwidth: bandwidth, counters: counters)
        openTargets.add(.init(name: definition.name, backend: backend, counters: counters))
        return backend
    }

    /// Opens one target, with all layers around its driver. The caller closes it.
    func connect(
        _ definition: TargetDefinition, bandwidth: BandwidthMeter? = nil, counters: StorageCounters = StorageCounters()
    ) async throws -> any StorageBackend {
        let scheme = definition.location.scheme
        guard let factory = session.kit.backends.factory(scheme: scheme) else {
            throw UsageError("there is no backend for '\(scheme)://'", remedy: "Use a program that was built with one.")
        }
        let driver = try await factory.open(definition.settings)
        return LayerStack.wrap(driver, layers(bandwidth, counters))
    }

    /// Reads the catalogs of a server on all targets.
    /// - Parameter identifier: the backup that is wanted, so that no more records are read than it takes to find it; nil reads
    ///   all.
    /// - Throws: when none of the targets can be read.
    func view(
        _ server: String, _ definitions: [TargetDefinition], for identifier: BackupIdentifier? = nil
    ) async throws -> CatalogView {
        var view = CatalogView(server: server)
        var firstFailure: (any Error)?
        for definition in definitions {
            do {
                let backend = try await open(definition)
                let repository = try await Repository.open(
                    name: definition.name, backend: backend, masterKey: masterKey(isRequired: false),
                    cryptography: session.kit.cryptography)
                guard let repository else {
                    view.reachableCount += 1
                    continue
                }
                let catalog = Catalog(repository: repository, server: server, cryptography: session.kit.cryptography)
                let labels = try await catalog.labels()
                view.add(definition.name, catalog, try await entries(of: catalog, labels, for: identifier), labels)
            } catch {
                firstFailure = firstFailure ?? error
                view.failed.append(TargetOutcome(definition.name, failure: error))
            }
        }
        if view.reachableCount == 0, let firstFailure { throw firstFailure }
        return view
    }

    /// The backups among these labels that an identifier may mean. For the newest or oldest one, none beyond the first that is
    /// valid here is read: another target can only have a newer or older one.
    private func entries(
        of catalog: Catalog, _ labels: [BackupLabel], for identifier: BackupIdentifier?
    ) async throws -> [CatalogEntry] {
        switch identifier {
        case nil: return try await catalog.entries(labels)
        case .label(let text): return try await catalog.entries(labels.filter { $0.string == text })
        case .prefix(let text):
            return try await catalog.entries(labels.filter { $0.string.utf8.starts(with: text.utf8) })
        case .newest, .oldest:
            var found: [CatalogEntry] = []
            for label in identifier == .newest ? labels.reversed() : labels {
                guard let entry = try await catalog.entry(label) else { continue }
                found.append(entry)
                if entry.isValid { break }
            }
            return found
        }
    }
}

/// A server's backups over several targets.
struct CatalogView: Sendable {
    let server: String
    /// How many targets answered.
    var reachableCount = 0
    var failed: [TargetOutcome] = []
    private var sources:
        [(target: String, catalog: Catalog, entries: [BackupLabel: CatalogEntry], folders: Set<BackupLabel>)] = []

    init(server: String) { self.server = server }

    mutating func add(_ target: String, _ catalog: Catalog, _ entries: [CatalogEntry], _ folders: [BackupLabel]) {
        reachableCount += 1
        sources.append((target, catalog, Dictionary(entries.map { ($0.label, $0) }) { $1 }, Set(folders)))
    }

    /// All labels on any target, oldest first.
    var labels: [BackupLabel] { Set(sources.flatMap(\.entries.keys)).sorted() }

    /// The catalogs that have the backup, in the order of the targets; valid ones first.
    func catalogs(with label: BackupLabel) -> [Catalog] {
        let having = sources.filter { $0.entries[label] != nil }
        return
            (having.filter { $0.entries[label]?.isValid == true } + having.filter { $0.entries[label]?.isValid != true })
            .map(\.catalog)
    }

    /// The targets with a folder of that label, whether it has a record or not.
    func catalogs(withFolder label: BackupLabel) -> [(target: String, catalog: Catalog)] {
        sources.filter { $0.folders.contains(label) }.map { ($0.target, $0.catalog) }
    }

    /// The label that an identifier means; newest and oldest are the newest and oldest valid ones.
    func label(_ identifier: BackupIdentifier) throws -> BackupLabel {
        let valid = labels.filter { label in sources.contains { $0.entries[label]?.isValid == true } }
        switch identifier {
        case .oldest, .newest:
            guard let label = identifier == .oldest ? valid.first : valid.last else {
                throw EngineError(.noBackup, "'\(server)' has none")
            }
            return label
        case .label(let text):
            guard let label = BackupLabel(text),
                labels.contains(label) || sources.contains(where: { $0.folders.contains(label) })
            else { throw EngineError(.unknownBackup, "'\(text)' of '\(server)'") }
            return label
        case .prefix(let text):
            let fitting = labels.filter { $0.string.utf8.starts(with: text.utf8) }
            guard let only = fitting.first else { throw EngineError(.unknownBackup, "'\(text)' of '\(server)'") }
            guard fitting.count == 1 else {
                throw EngineError(.ambiguousBackup, "'\(text)': \(fitting.map(\.string).joined(separator: ", "))")
            }
            return only
        }
    }

    /// Why the backup cannot be believed on any target; nil when it can be on one.
    func damage(of label: BackupLabel) -> EngineError? {
        let entries = sources.compactMap { $0.entries[label] }
        if entries.contains(where: \.isValid) { return nil }
        for case .failure(let error) in entries.map(\.record) { return error }
        return EngineError(.unknownBackup, "'\(label)' of '\(server)' has no record: it was not completed")
    }

    /// The backup as replies show it, with each target's part.
    func summary(of label: BackupLabel, codecs: CodecRegistry) -> BackupSummary {
        var summary = BackupSummary()
        summary.label = label.string
        summary.server = server
        summary.validity = .no
        for source in sources {
            if case .success(let record) = source.entries[label]?.record {
                summary = BackupSummary(record, codecs: codecs)
            }
        }
        summary.targets = sources.map { source in
            switch source.entries[label]?.record {
            case .success: TargetOutcome(target: source.target, status: .complete)
            case .failure(let error): TargetOutcome(target: source.target, status: .failed, error: error.summary)
            case nil: TargetOutcome(target: source.target, status: .absent)
            }
        }
        return summary
    }
}

extension TargetOutcome {
    /// How a target came out, by what went wrong there.
    init(_ target: String, failure: (any Error)?) {
        self.init(
            target: target, status: failure == nil ? .complete : .failed,
            error: failure.map { CommandError.remediable($0).summary })
    }
}

extension BackupSummary {
    /// A backup as its record tells it.
    init(_ record: BackupRecord, codecs: CodecRegistry) {
        self.init()
        label = record.label.string
        server = record.server
        backupByteCount = record.backupBytes
        restoreByteCount = record.restoreBytes
        for codec in record.codecs {
            switch codecs.factory(named: codec.name)?.kind {
            case .encryption: encryption = codec.name
            case .compression, nil: compression = codec.name
            }
        }
        elapsedSeconds = record.elapsedMilliseconds / 1000
        startLSN = record.position(record.startLSN)
        endLSN = record.position(record.endLSN)
        checkpointLSN = record.position(record.checkpointLSN)
        startTimeline = Int(record.startTimeline)
        endTimeline = Int(record.endTimeline)
        parent = record.parent?.string
        majorVersion = record.majorVersion
        minorVersion = record.minorVersion
        tablespaces = record.tablespaces.map { Tablespace(name: String($0.oid), path: $0.location) }
        validity = .yes
        walSegment = record.wal
    }
}
