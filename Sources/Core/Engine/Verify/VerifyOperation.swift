package import BackupAPI
import PostgresClient
import Synchronization

/// What a verification found.
package struct VerifyReport: Sendable {
    /// The outcome for one stored object.
    package struct Object: Sendable, Hashable {
        package let path: String
        /// The SHA-512 that the backup wrote.
        package let original: String
        /// What is wrong; empty when nothing is.
        package let damages: [String]
    }

    package let label: BackupLabel
    package let objects: [Object]
    /// Damage that belongs to no single object, such as a wrong page checksum.
    package let damages: [String]

    package var isSound: Bool { damages.isEmpty && objects.allSatisfy { $0.damages.isEmpty } }
}

/// Checks one backup without writing anything.
package struct VerifyOperation: Sendable {
    /// How deep to look.
    package enum Depth: Sendable {
        /// Every stored byte against the digests that were written with it.
        case stored
        /// Every stored byte decoded, every file against its checksum, every page against its own.
        case content
    }

    private let catalog: Catalog
    private let codecs: CodecRegistry
    private let cryptography: any Cryptography
    private let workers: Int
    private let progress: ProgressCounter

    package init(
        catalog: Catalog, codecs: CodecRegistry, cryptography: any Cryptography, workers: Int, progress: ProgressCounter
    ) {
        self.catalog = catalog
        self.codecs = codecs
        self.cryptography = cryptography
        self.workers = workers
        self.progress = progress
    }

    /// Looks at all of a backup and finds all damage, not only the first.
    /// - Throws: only when it cannot look: storage that does not answer, a missing master key. Damage is in the report.
    package func run(_ label: BackupLabel, depth: Depth) async throws -> VerifyReport {
        let findings = Findings(label: label)
        let objects = try await check(label, depth: depth, findings)?.objects ?? []
        return findings.report(objects)
    }

    /// Looks at all of a backup and of every backup that it builds on, and whether they fit together.
    /// - Returns: a report for each, newest first; it ends early where a parent is missing or cannot be read.
    /// - Throws: as `run`.
    package func runChain(_ label: BackupLabel, depth: Depth) async throws -> [VerifyReport] {
        var reports: [VerifyReport] = []
        var builder: SnapshotBuilder?
        var child: BackupRecord?
        var next: BackupLabel? = label
        while let label = next {
            let findings = Findings(label: label)
            next = nil
            var objects: [StoredObject] = []
            if let checked = try await check(label, depth: depth, findings) {
                objects = checked.objects
                do {
                    try child?.requireBuilt(on: checked.record)
                    if builder == nil {
                        builder = SnapshotBuilder(newest: checked.record, index: checked.index)
                    } else {
                        try builder?.add(parent: checked.record, index: checked.index)
                    }
                    next = try checked.record.requiredParent()
                    if next == nil { _ = try builder?.finish() }
                } catch {
                    findings.note(error)
                }
                child = checked.record
            }
            if let parent = next, try await !catalog.hasRecord(parent) {
                findings.note(EngineError(.parentMissing, "\(label) builds on \(parent)"))
                next = nil
            }
            reports.append(findings.report(objects))
        }
        return reports
    }

    /// What was found of one backup.
    private struct Checked {
        let record: BackupRecord
        let index: BackupIndex
        let objects: [StoredObject]
    }

    /// Looks at one backup by itself; nil when its record or its index cannot be read.
    private func check(_ label: BackupLabel, depth: Depth, _ findings: Findings) async throws -> Checked? {
        guard let (reader, index) = try await open(label, findings) else { return nil }
        let objects = reader.objects(index)
        try await findings.collectDamage(of: Layout.checksumsName) { try await reader.requireChecksumList(index) }
        switch depth {
        case .stored: try await checkStored(objects, reader: reader, findings)
        case .content: try await checkContent(index, reader: reader, findings)
        }
        return Checked(record: reader.record, index: index, objects: objects)
    }

    private func open(_ label: BackupLabel, _ findings: Findings) async throws -> (BackupReader, BackupIndex)? {
        do {
            let reader = try await BackupReader(
                catalog: catalog, label: label, codecs: codecs, cryptography: cryptography, workers: workers)
            return (reader, try await reader.index())
        } catch let error as EngineError where error.isDamage {
            findings.note(error)
            return nil
        }
    }

    private func checkStored(_ objects: [StoredObject], reader: BackupReader, _ findings: Findings) async throws {
        progress.addTotal(byteCount: objects.reduce(0) { $0 + $1.bytes })
        let width = max(workers, min(8, catalog.repository.backend.capabilities.usefulConcurrency))
        let plain = StoredObjectReader(
            backend: catalog.repository.backend, chain: CodecChain([]), cryptography: cryptography)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, object) in objects.enumerated() {
                if number >= width { try await group.next() }
                group.addTask {
                    try await findings.collectDamage(of: object.path) {
                        let identity = reader.record.identity(path: object.path)
                        try await plain.stream(object, key: reader.key(object.path), identity: identity) {
                            progress.add(byteCount: $0.byteCount)
                        }
                    }
                }
            }
            while try await group.next() != nil {}
        }
    }

    private func checkContent(_ index: BackupIndex, reader: BackupReader, _ findings: Findings) async throws {
        let snapshot = Snapshot(record: reader.record, index: index)
        progress.addTotal(byteCount: snapshot.byteCount)
        try await findings.collectDamage(of: reader.record.manifest.path) { try await reader.manifest { _ in } }
        let pages = PageChecks(
            snapshot: snapshot, startLSN: reader.record.position(reader.record.startLSN),
            isActive: reader.record.hasDataChecksums, damaged: { findings.note($0) })
        do {
            try await SnapshotWalk(frames: reader.frames).run(
                snapshot, into: CountingSink(sink: pages, progress: progress), damaged: { findings.note($0) })
        } catch let error as EngineError where error.isDamage {
            findings.note(error)
        }
    }
}

/// Collects damage from many tasks.
private final class Findings: Sendable {
    private let label: BackupLabel
    private let errors = Mutex<[EngineError]>([])

    init(label: BackupLabel) { self.label = label }

    func note(_ error: EngineError) { errors.withLock { if !$0.contains(error) { $0.append(error) } } }

    /// Runs a check; damage, and an object that is gone or cannot be read any more, are noted, anything else is thrown.
    func collectDamage(of path: String, _ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let error as EngineError where error.isDamage {
            note(error)
        } catch let fault as StorageError {
            guard let damage = EngineError(damageOf: path, of: label, fault) else { throw fault }
            note(damage)
        }
    }

    /// Sorts the damage by the objects it names.
    func report(_ objects: [StoredObject]) -> VerifyReport {
        let all = errors.withLock { $0 }
        var other = all
        let checked = objects.map { object in
            let own = all.filter { $0.detail.contains("'\(object.path)'") }
            other.removeAll { own.contains($0) }
            return VerifyReport.Object(path: object.path, original: object.sha512, damages: own.map(\.summary))
        }
        return VerifyReport(label: label, objects: checked, damages: other.map(\.summary))
    }
}
