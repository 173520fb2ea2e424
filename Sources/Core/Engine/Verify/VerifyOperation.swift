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
        return findings.report(try await check(label, depth: depth, findings) { _, _ in } ?? [])
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
            let objects = try await check(label, depth: depth, findings) { record, index in
                do throws(EngineError) {
                    try child?.requireBuilt(on: record)
                    if builder == nil {
                        builder = SnapshotBuilder(newest: record, index: index)
                    } else {
                        try builder?.add(parent: record, index: index)
                    }
                    next = try record.requiredParent()
                    if next == nil { _ = try builder?.finish() }
                } catch {
                    findings.note(error)
                }
                child = record
            }
            if let parent = next, try await !catalog.hasRecord(parent) {
                findings.note(EngineError(.parentMissing, "\(label) builds on \(parent)"))
                next = nil
            }
            reports.append(findings.report(objects ?? []))
        }
        return reports
    }

    /// Looks at one backup by itself.
    /// - Parameter opened: gets the record and the index before the contents are looked at; during that long part only what is
    ///   needed of the index stays in memory.
    /// - Returns: its objects; nil when its record or its index cannot be read.
    private func check(
        _ label: BackupLabel, depth: Depth, _ findings: Findings, opened: (BackupRecord, BackupIndex) -> Void
    ) async throws -> [StoredObject]? {
        guard let sound = try await open(label, depth: depth, findings, opened: opened) else { return nil }
        if let snapshot = sound.snapshot {
            try await checkContent(snapshot, reader: sound.reader, findings)
        } else {
            try await checkStored(sound.objects, reader: sound.reader, findings)
        }
        return sound.objects
    }

    /// A backup whose record and index can be read.
    private struct Opened {
        let reader: BackupReader
        let objects: [StoredObject]
        /// What its archives hold; nil when only stored bytes are looked at.
        let snapshot: Snapshot?
    }

    private func open(
        _ label: BackupLabel, depth: Depth, _ findings: Findings, opened: (BackupRecord, BackupIndex) -> Void
    ) async throws -> Opened? {
        do {
            let reader = try await BackupReader(
                catalog: catalog, label: label, codecs: codecs, cryptography: cryptography, workers: workers)
            let index = try await reader.index()
            try await findings.collectDamage(of: Layout.checksumsName) { try await reader.requireChecksumList(index) }
            opened(reader.record, index)
            return Opened(
                reader: reader, objects: reader.objects(index),
                snapshot: depth == .content ? Snapshot(record: reader.record, index: index) : nil)
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

    private func checkContent(_ snapshot: Snapshot, reader: BackupReader, _ findings: Findings) async throws {
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
