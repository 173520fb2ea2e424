import BackupAPI
import BackupEngine

/// A server's backups over several targets.
struct CatalogView: Sendable {
    /// What a target answered.
    enum Content: Sendable {
        /// It could not be looked at.
        case unreadable(any Error)
        /// There is no repository yet.
        case empty
        /// The backups that were looked at, what is noted about them, and all labels that have a folder.
        case backups(
            Catalog, [BackupLabel: CatalogEntry], notes: [BackupLabel: BackupNotes], folders: Set<BackupLabel>)
    }

    let server: String
    private var parts: [(target: String, content: Content)] = []

    init(server: String) { self.server = server }

    mutating func add(_ target: String, _ content: Content) { parts.append((target, content)) }

    /// - Throws: why the first target could not be looked at, when none could.
    func requireOneReadable() throws {
        if unreadable.count == parts.count, let first = unreadable.first { throw first.error }
    }

    /// How each target came out, for a look at all of them.
    var targets: [TargetOutcome] {
        parts.map { part in
            switch part.content {
            case .unreadable(let error): TargetOutcome(part.target, failure: error)
            case .empty: TargetOutcome(target: part.target, status: .complete)
            case .backups(let catalog, _, _, _):
                TargetOutcome(part.target, failure: nil, durability: catalog.durability)
            }
        }
    }

    /// `targets`, with the space that is free there.
    func measuredTargets() async throws -> [TargetOutcome] {
        var outcomes = targets
        for (target, catalog) in catalogs {
            do {
                let free = try await catalog.repository.backend.freeByteCount()
                for index in outcomes.indices where outcomes[index].target == target {
                    outcomes[index].freeByteCount = free
                }
            } catch {
                guard !CommandError.isInterruption(error) else { throw error }
                outcomes.replace(with: TargetOutcome(target, failure: error))
            }
        }
        return outcomes
    }

    /// All labels on any target, oldest first.
    var labels: [BackupLabel] { Set(sources.flatMap(\.entries.keys)).sorted() }

    /// The targets that have a repository.
    var catalogs: [(target: String, catalog: Catalog)] { sources.map { ($0.target, $0.catalog) } }

    /// The targets that have the backup, in their order; those where it is valid first.
    func catalogs(with label: BackupLabel) -> [(target: String, catalog: Catalog)] {
        let having = sources.filter { $0.entries[label] != nil }
        return
            (having.filter { $0.entries[label]?.isValid == true } + having.filter { $0.entries[label]?.isValid != true })
            .map { ($0.target, $0.catalog) }
    }

    /// The targets with a folder of that label, whether it has a record or not.
    func catalogs(withFolder label: BackupLabel) -> [(target: String, catalog: Catalog)] {
        sources.filter { $0.folders.contains(label) }.map { ($0.target, $0.catalog) }
    }

    /// The label that an identifier means; newest and oldest are the newest and oldest valid ones.
    /// - Throws: when there is no such backup; where a target could not be looked at, that, because the backup may be there.
    func label(_ identifier: BackupIdentifier) throws -> BackupLabel {
        do throws(EngineError) {
            return try knownLabel(identifier)
        } catch {
            guard error.reason != .ambiguousBackup, let first = unreadable.first else { throw error }
            throw first.error
        }
    }

    private func knownLabel(_ identifier: BackupIdentifier) throws(EngineError) -> BackupLabel {
        switch identifier {
        case .oldest, .newest:
            let valid = labels.filter { label in sources.contains { $0.entries[label]?.isValid == true } }
            guard let label = identifier == .oldest ? valid.first : valid.last else {
                throw EngineError(.noBackup, "'\(server)' has none")
            }
            return label
        case .label(let text):
            guard let label = BackupLabel(text), sources.contains(where: { $0.folders.contains(label) }) else {
                throw EngineError(.unknownBackup, "'\(text)' of '\(server)'")
            }
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

    /// The records of all backups that are valid somewhere, oldest first.
    var validRecords: [BackupRecord] {
        labels.compactMap { label in
            sources.lazy.compactMap { source -> BackupRecord? in
                guard let entry = source.entries[label], entry.isValid else { return nil }
                return try? entry.record.get()
            }.first
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
        summary.note(sources.compactMap { $0.notes[label] })
        summary.targets = outcomes(of: label)
        let isSomewhere = summary.targets.contains { $0.status == .complete }
        if summary.validity == .yes, !isSomewhere { summary.validity = .no }
        return summary
    }

    /// A backup and all that it builds on, as far as records tell that can be believed, oldest first. Those that were not looked at
    /// are read.
    func chain(endingWith label: BackupLabel) async throws -> [BackupLabel] {
        var chain = [label]
        while let first = chain.first, let parent = try await parent(of: first), parent < first {
            chain.insert(parent, at: 0)
        }
        return chain
    }

    private func parent(of label: BackupLabel) async throws -> BackupLabel? {
        for source in sources where source.folders.contains(label) {
            let known = source.entries[label]
            let entry = if let known { known } else { try await source.catalog.entry(label) }
            if let record = try? entry?.record.get() { return record.parent }
        }
        return nil
    }

    /// What each target has of a backup.
    func outcomes(of label: BackupLabel) -> [TargetOutcome] {
        parts.map { part in
            switch part.content {
            case .unreadable(let error): return TargetOutcome(part.target, failure: error)
            case .empty: return TargetOutcome(target: part.target, status: .absent)
            case .backups(let catalog, let entries, let notes, _):
                switch entries[label]?.record {
                case .success:
                    let found = notes[label]?.verification
                    var outcome = TargetOutcome(part.target, failure: nil, durability: catalog.durability)
                    if let found, !found.isSound {
                        outcome = TargetOutcome(target: part.target, status: .failed, error: found.words)
                    }
                    outcome.verifiedAt = found?.at
                    return outcome
                case .failure(let error): return TargetOutcome(part.target, failure: error)
                case nil: return TargetOutcome(target: part.target, status: .absent)
                }
            }
        }
    }

    private typealias Source = (
        target: String, catalog: Catalog, entries: [BackupLabel: CatalogEntry], notes: [BackupLabel: BackupNotes],
        folders: Set<BackupLabel>
    )

    /// The targets that have a repository.
    private var sources: [Source] {
        parts.compactMap { part in
            guard case .backups(let catalog, let entries, let notes, let folders) = part.content else { return nil }
            return (part.target, catalog, entries, notes, folders)
        }
    }

    private var unreadable: [(target: String, error: any Error)] {
        parts.compactMap { part in
            guard case .unreadable(let error) = part.content else { return nil }
            return (part.target, error)
        }
    }
}

extension BackupSummary {
    /// Takes over what is noted about the backup on several targets: comments from where they changed last; it is kept where
    /// any says so.
    mutating func note(_ notes: [BackupNotes]) {
        comments = notes.max { $0.changedAt < $1.changedAt }?.comments ?? [:]
        isKept = notes.contains(where: \.isKept)
        let verified = notes.compactMap(\.verification?.at)
        verifiedAt = verified.isEmpty ? nil : verified.min()
    }
}

extension BackupNotes.Verification {
    /// What it found, for people.
    fileprivate var words: String {
        "the verification of \(CalendarTime(secondsSince1970: at).compact) found damage"
    }
}

extension Catalog {
    /// How sure an object is on the target.
    fileprivate var durability: Capabilities.Durability { repository.backend.capabilities.durability }
}
