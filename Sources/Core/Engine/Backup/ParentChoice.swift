package import BackupAPI
import Logging
import PostgresClient

/// What an incremental backup shall build on.
package struct ParentRequest: Sendable {
    /// `oldest`, `newest`, a label or its beginning.
    package var identifier: String
    /// What the parent may be encoded with.
    package var codecs: CodecRegistry

    package init(identifier: String, codecs: CodecRegistry) {
        self.identifier = identifier
        self.codecs = codecs
    }
}

/// The backup that an incremental one builds on, with its manifest proven on one of the targets.
struct ChosenParent: Sendable {
    let record: BackupRecord
    private let archives: [(target: UploadTarget, archive: WALArchive)]
    private let reader: BackupReader

    fileprivate init(_ reader: BackupReader, archives: [(target: UploadTarget, archive: WALArchive)]) {
        record = reader.record
        self.archives = archives
        self.reader = reader
    }

    /// The archives of WAL beside it, on every target that has it and has not failed.
    var walArchives: [WALArchive] { archives.filter { $0.target.failure == nil }.map(\.archive) }

    /// The checkpoint from which recovery of it begins, as its own WAL has it.
    func checkpoint() async throws -> WALSummary.Checkpoint { try await reader.checkpoint() }

    /// Checks that nothing rewrote all pages since, which no list of changed blocks tells.
    /// - Throws: `.noIncremental` when checksums were switched on (`pg_checksums`).
    func requireChecksums(as source: BackupSource) throws(EngineError) {
        guard record.hasDataChecksums || !source.hasDataChecksums else {
            throw EngineError(.noIncremental, "page checksums were switched on after \(record.label)")
        }
    }

    /// The paths of its files below the data directory, with the names that a restore gives them.
    func paths() async throws -> Set<String> {
        var paths: Set<String> = []
        for archive in try await reader.index().archives where archive.name != "pg_wal" {
            let prefix = archive.name == "base" ? "" : "pg_tblspc/\(archive.name)/"
            for member in archive.members where member.isContent { paths.insert(prefix + member.restoredPath) }
        }
        return paths
    }

    /// Gives the manifest to the server.
    func upload(to session: ReplicationSession) async throws {
        try await session.uploadManifest { send in try await reader.manifest(to: send) }
    }

    /// Finds the backup that the request means.
    ///
    /// `newest` is the newest backup whose whole chain is on every target: after a night on which one target failed, the next
    /// backup builds on the last that all of them have. Where they have none in common, and with a label, a target without
    /// the backup fails, and the others go on.
    /// - Throws: when no target has it, or its manifest is damaged on all of them.
    static func choose(
        _ request: ParentRequest, on opened: [(target: UploadTarget, catalog: Catalog)], plan: BackupPlan
    ) async throws -> ChosenParent {
        var places: [(target: UploadTarget, catalog: Catalog, records: [BackupLabel: BackupRecord])] = []
        for (target, catalog) in opened {
            guard let records = try await target.attempt({ try await wholeChains(catalog) }) else { continue }
            places.append((target, catalog, records))
        }
        try opened.map(\.target).requireOneComplete()
        let all = Set(places.flatMap(\.records.keys)).sorted()
        let common = all.filter { label in places.allSatisfy { $0.records[label] != nil } }
        let label = try Self.label(request.identifier, among: common.isEmpty ? all : common, all: all, plan.server)
        var fault: (any Error)?
        var proven: BackupReader?
        var archives: [(target: UploadTarget, archive: WALArchive)] = []
        for place in places {
            guard place.records[label] != nil else {
                let name = place.catalog.repository.backend.displayName
                place.target.fail(
                    EngineError(.parentMissing, "\(label) is not at \(name), or not with all its parents"))
                continue
            }
            let archive = WALArchive(
                repository: place.catalog.repository, server: plan.server, codecs: request.codecs,
                cryptography: plan.cryptography)
            archives.append((place.target, archive))
            guard proven == nil else { continue }
            proven =
                try await place.target.attempt {
                    do {
                        let reader = try await BackupReader(
                            catalog: place.catalog, label: label, codecs: request.codecs,
                            cryptography: plan.cryptography, workers: plan.workers)
                        try await reader.manifest { _ in }
                        return reader
                    } catch let error as EngineError where error.isDamage {
                        // No restore needs the parent's manifest, so the target takes part; another one has to give it.
                        Logger.current.warning(
                            "the parent's manifest is damaged on a target",
                            metadata: [LogKeys.label: "\(label)", LogKeys.target: "\(place.target.name)"])
                        fault = fault ?? error
                        return nil
                    }
                } ?? nil
        }
        if let proven { return ChosenParent(proven, archives: archives) }
        try opened.map(\.target).requireOneComplete()
        throw fault ?? EngineError(.unknownBackup, "'\(label)'")
    }

    private static func label(
        _ identifier: String, among candidates: [BackupLabel], all: [BackupLabel], _ server: String
    ) throws(EngineError) -> BackupLabel {
        let nothing = EngineError(
            .noBackup, "'\(server)' has none to build on",
            remedy: "Take a full backup first: 'pgmoneta-cli backup \(server)'.")
        switch identifier {
        case "newest", "latest", "oldest":
            guard let label = identifier == "oldest" ? candidates.first : candidates.last else { throw nothing }
            return label
        default:
            guard !all.isEmpty else { throw nothing }
            let fitting = all.filter { $0.string.utf8.starts(with: identifier.utf8) }
            guard let only = fitting.first else {
                throw EngineError(.unknownBackup, "'\(identifier)' of '\(server)', valid and with all its parents")
            }
            guard fitting.count == 1 else {
                throw EngineError(
                    .ambiguousBackup, "'\(identifier)': \(fitting.map(\.string).joined(separator: ", "))")
            }
            return only
        }
    }

    /// The valid backups of a target that have all of their parents there.
    private static func wholeChains(_ catalog: Catalog) async throws -> [BackupLabel: BackupRecord] {
        var whole: [BackupLabel: BackupRecord] = [:]
        for entry in try await catalog.entries() {
            guard case .success(let record) = entry.record else { continue }
            do {
                if let parent = try record.requiredParent() {
                    // Parents are older, so they were looked at before.
                    guard let older = whole[parent] else { continue }
                    try record.requireBuilt(on: older)
                }
                whole[record.label] = record
            } catch {
                Logger.current.warning(
                    "a backup does not fit to its parent", metadata: [LogKeys.label: "\(record.label)"])
            }
        }
        return whole
    }
}
