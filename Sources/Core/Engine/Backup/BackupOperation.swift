import BackupAPI
import PostgresClient

/// A backup that was taken, and which targets have it.
package struct BackupOutcome: Sendable {
    package struct TargetStatus: Sendable {
        package let name: String
        /// Why the target does not have the backup; nil when it is complete and durable there.
        package let failure: (any Error)?
    }

    package let record: BackupRecord
    package let targets: [TargetStatus]
}

/// Takes a full or an incremental backup: one reading of PostgreSQL, encoded once, written to all targets, committed last.
package struct BackupOperation: Sendable {
    private let plan: BackupPlan
    private let progress: ProgressCounter

    package init(plan: BackupPlan, progress: ProgressCounter) {
        self.plan = plan
        self.progress = progress
    }

    /// Runs the backup. When it returns, the backup is complete and durable on every target without a failure, and at least one
    /// has none.
    ///
    /// - Parameter targets: where it goes; a target that fails is left out, and named in the outcome.
    /// - Throws: when no target has the backup. What was written is removed, as far as the targets can be reached.
    package func run(to targets: [UploadTarget]) async throws -> BackupOutcome {
        let startedAt = plan.clock()
        let source = try await BackupSource.open(plan)
        defer { source.close() }
        let prepared = try await BackupPreparation(plan: plan, source: source).run(targets)
        return try await prepared.holdingLeases { label in
            do {
                let record = try await transfer(source, prepared, label: label, startedAt: startedAt)
                return BackupOutcome(
                    record: record, targets: targets.map { .init(name: $0.name, failure: $0.failure) })
            } catch {
                await prepared.removeRemains(of: label, from: targets)
                throw error
            }
        }
    }

    private func transfer(
        _ source: BackupSource, _ prepared: PreparedTargets, label: BackupLabel, startedAt: Int
    ) async throws -> BackupRecord {
        let targets = prepared.targets
        let chain = try plan.chain(keys: prepared.keys)
        let id = try Repository.newID(plan.cryptography)
        let pipe = EncodePipe(
            chain: chain, format: .standard, targets: targets, cryptography: plan.cryptography,
            binding: .backup(id: id), keyPrefix: Layout.backupPrefix(plan.server, label), workers: plan.workers)
        let content = try await pipe.run { [plan, progress] in
            try await BackupTransfer(
                plan: plan, source: source, pipe: pipe, parent: prepared.parent, progress: progress
            ).run(label: label)
        }
        var record = try makeRecord(content, source: source, chain: chain, id: id, label: label, startedAt: startedAt)
        if let parent = prepared.parent?.record {
            (record.type, record.parent, record.parentID) = (.incremental, parent.label, parent.id)
        }
        try await BackupCommit(plan: plan, keys: prepared.keys).run(record, objects: content.objects, to: targets) {
            try await prepared.requireLeases()
        }
        await prepared.removeRemains(of: label, from: targets.filter { $0.failure != nil })
        return record
    }

    private func makeRecord(
        _ content: BackupContent, source: BackupSource, chain: CodecChain, id: String, label: BackupLabel,
        startedAt: Int
    ) throws -> BackupRecord {
        let files = content.index.archives.flatMap(\.members).filter(\.isContent)
        let endedAt = plan.clock()
        return BackupRecord(
            version: plan.version, id: id, server: plan.server, label: label, type: .full, parent: nil,
            systemIdentifier: source.identity.systemIdentifier.description, majorVersion: source.version.major,
            minorVersion: source.version.minor, startLSN: content.start.startLSN.description,
            endLSN: content.end.endLSN.description, checkpointLSN: content.checkpointLSN,
            startTimeline: content.start.timeline.number, endTimeline: content.end.timeline.number,
            wal: WALSegment(
                containing: content.start.startLSN, timeline: content.start.timeline, size: source.segmentSize
            ).name,
            walSegmentBytes: source.segmentSize.byteCount, walBytes: content.walByteCount,
            hasDataChecksums: source.hasDataChecksums,
            startedAt: startedAt / 1000, endedAt: endedAt / 1000, elapsedMilliseconds: endedAt - startedAt,
            backupBytes: content.objects.reduce(0) { $0 + $1.bytes },
            restoreBytes: files.reduce(0) { $0 + $1.restoredByteCount },
            biggestFileBytes: files.reduce(0) { max($0, $1.restoredByteCount) }, fileCount: files.count,
            tablespaces: content.tablespaces.compactMap { tablespace in
                UInt32(tablespace.oid).map { .init(oid: $0, location: tablespace.location) }
            },
            codecs: chain.codecs.map { .init(name: $0.name, parameters: $0.parameters) }, frames: .standard,
            manifestChecksums: plan.manifestChecksums, manifest: content.manifest, index: content.indexObject)
    }
}
