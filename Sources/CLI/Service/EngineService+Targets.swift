import BackupAPI
import BackupEngine
import Logging

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
        return try await LayerStack.open(layers(bandwidth, counters)) { () async throws(StorageError) in
            try await factory.open(definition.settings)
        }
    }

    /// Reads the catalogs of a server on all targets.
    /// - Parameter identifier: the backup that is wanted, so that no more records are read than it takes to find it; nil reads
    ///   all.
    /// - Parameter bandwidth: limits all that is read from the targets, later too; nil is no limit.
    /// - Throws: when none of the targets can be read.
    func view(
        _ server: String, _ definitions: [TargetDefinition], for identifier: BackupIdentifier? = nil,
        bandwidth: BandwidthMeter? = nil
    ) async throws -> CatalogView {
        var view = CatalogView(server: server)
        for definition in definitions {
            do {
                view.add(definition.name, try await content(of: definition, server, for: identifier, bandwidth))
            } catch {
                guard !CommandError.isInterruption(error) else { throw error }
                view.add(definition.name, .unreadable(error))
            }
        }
        try view.requireOneReadable()
        return view
    }

    private func content(
        of definition: TargetDefinition, _ server: String, for identifier: BackupIdentifier?,
        _ bandwidth: BandwidthMeter?
    ) async throws -> CatalogView.Content {
        let backend = try await open(definition, bandwidth: bandwidth)
        let repository = try await Repository.open(
            name: definition.name, backend: backend, masterKey: masterKey(isRequired: false),
            cryptography: session.kit.cryptography)
        guard let repository else { return .empty }
        let catalog = Catalog(repository: repository, server: server, cryptography: session.kit.cryptography)
        let folders = try await catalog.labels()
        let entries = try await entries(of: catalog, folders, for: identifier).map { ($0.label, $0) }
        let notes = try await catalog.notes.all(about: Set(entries.map(\.0)))
        for case (let label, .failure(let error)) in notes {
            Logger.current.warning(
                "the notes about a backup cannot be believed",
                metadata: [LogKeys.label: "\(label)", LogKeys.target: "\(definition.name)", LogKeys.error: "\(error)"])
        }
        return .backups(
            catalog, Dictionary(entries) { $1 }, notes: notes.compactMapValues { try? $0.get() }, folders: Set(folders))
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

extension [TargetOutcome] {
    /// Puts an outcome in the place of the one that the target had.
    mutating func replace(with outcome: TargetOutcome) {
        for index in indices where self[index].target == outcome.target { self[index] = outcome }
    }
}

extension TargetOutcome {
    /// How a target came out, by what went wrong there.
    init(_ target: String, failure: (any Error)?, durability: Capabilities.Durability? = nil) {
        self.init(
            target: target, status: failure == nil ? .complete : .failed,
            error: failure.map { CommandError.remediable($0).summary }, durability: durability)
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
        walByteCount = record.walBytes ?? 0
    }
}
