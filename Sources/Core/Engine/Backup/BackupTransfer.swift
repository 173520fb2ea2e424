import BackupAPI
import PostgresClient

/// What came from PostgreSQL and how it was stored.
struct BackupContent: Sendable {
    let start: BaseBackupStart
    let end: BaseBackupEnd
    let checkpointLSN: String
    let tablespaces: [BaseBackupTablespace]
    let index: BackupIndex
    let manifest: StoredObject
    let indexObject: StoredObject

    /// All stored objects, in the order of `backup.sha512`.
    var objects: [StoredObject] { index.archives.flatMap(\.volumes) + [manifest, indexObject] }

    /// Stored bytes of the archive `pg_wal`.
    var walByteCount: Int {
        index.archives.filter { $0.name == "pg_wal" }.flatMap(\.volumes).reduce(0) { $0 + $1.bytes }
    }
}

/// Brings base backup and WAL into the pipe, at the same time, over two connections.
struct BackupTransfer: Sendable {
    let plan: BackupPlan
    let source: BackupSource
    let pipe: EncodePipe
    /// What an incremental backup builds on; nil for a full one.
    let parent: ChosenParent?
    let progress: ProgressCounter

    /// What one of the two connections brought.
    private enum Part: Sendable {
        case base(CapturedBase)
        case wal(CapturedWAL)
    }

    private struct CapturedBase: Sendable {
        let end: BaseBackupEnd
        let manifest: StoredObject
        let archives: [FinishedArchive]
        /// What `backup_label` says.
        let label: String
    }

    private struct CapturedWAL: Sendable {
        let start: BaseBackupStart
        let end: LSN
        let archive: FinishedArchive
    }

    func run(label: BackupLabel) async throws -> BackupContent {
        let (base, wal) = try await captureBoth(label)
        guard wal.end >= base.end.endLSN else {
            throw EngineError(.streamMalformed, "WAL ends at \(wal.end), the backup needs \(base.end.endLSN)")
        }
        let archives = (base.archives + [wal.archive]).map {
            BackupIndex.Archive(
                name: $0.name, location: $0.location, plainByteCount: $0.receipt.plainByteCount,
                headerByteCount: $0.receipt.headerByteCount, volumes: $0.receipt.volumes, frames: $0.receipt.frames,
                members: $0.members)
        }
        let index = BackupIndex(archives: archives)
        let indexPath = Layout.indexName + pipe.chain.suffix
        let indexStream = pipe.beginStream(framesPerVolume: nil) { _ in indexPath }
        try await indexStream.write(index.encoded())
        return BackupContent(
            start: wal.start, end: base.end, checkpointLSN: checkpointLSN(base.label),
            tablespaces: wal.start.tablespaces, index: index, manifest: base.manifest,
            indexObject: try await indexStream.finish().onlyVolume)
    }

    private func options(_ label: BackupLabel) -> BaseBackupOptions {
        BaseBackupOptions(
            label: "pgmoneta \(label)", maxRateInKilobytesPerSecond: plan.maxRateInKilobytesPerSecond,
            manifestChecksums: plan.manifestChecksums, serverCompression: plan.wireCompression,
            incremental: parent != nil)
    }

    /// Runs the base backup and the WAL beside it; the first error of either ends the other.
    private func captureBoth(_ label: BackupLabel) async throws -> (CapturedBase, CapturedWAL) {
        let started = Mailbox<BaseBackupStart>()
        let stop = WALStop()
        return try await withThrowingTaskGroup(of: Part.self) { group in
            group.addTask { .base(try await captureBase(label, started: started, stop: stop)) }
            group.addTask { .wal(try await captureWAL(started: started, stop: stop)) }
            var base: CapturedBase?
            var wal: CapturedWAL?
            while let part = try await group.next() {
                switch part {
                case .base(let captured): base = captured
                case .wal(let captured): wal = captured
                }
            }
            guard let base, let wal else { throw CancellationError() }
            return (base, wal)
        }
    }

    private func captureBase(
        _ label: BackupLabel, started: Mailbox<BaseBackupStart>, stop: WALStop
    ) async throws -> CapturedBase {
        try parent?.requireChecksums(as: source)
        let streams: BackupStreams
        let end: BaseBackupEnd
        if let sql = source.sql, let parent {
            var plan = plan
            // What comes over SQL is not compressed.
            plan.wireCodec = nil
            streams = BackupStreams(pipe: pipe, plan: plan, started: started, progress: progress)
            end = try await BlockBackup(plan: plan, source: source, session: sql, parent: parent, progress: progress)
                .run(label: options(label).label, to: streams)
        } else {
            streams = BackupStreams(pipe: pipe, plan: plan, started: started, progress: progress)
            try await parent?.upload(to: source.base)
            end = try await source.base.baseBackup(options(label), to: streams)
        }
        let manifest = try await streams.finishManifest()
        stop.stop(at: end.endLSN)
        return CapturedBase(end: end, manifest: manifest, archives: streams.archives, label: streams.label)
    }

    private func captureWAL(started: Mailbox<BaseBackupStart>, stop: WALStop) async throws -> CapturedWAL {
        guard let start = try await started.next() else { throw CancellationError() }
        let begin = start.startLSN.roundedDownToSegment(size: source.segmentSize)
        let suffix = pipe.chain.suffix
        let stream = pipe.beginStream(framesPerVolume: pipe.format.framesPerVolume) { volume in
            Layout.volumePath(archive: "pg_wal", volume: volume, suffix: suffix)
        }
        let capture = WALCapture(
            stream: stream, start: begin, timeline: start.timeline, size: source.segmentSize, modifiedAt: plan.now())
        if start.timeline.number > 1 {
            let history = try await source.wal.timelineHistory(start.timeline)
            try await capture.add(history.fileName, history.bytes)
        }
        let end = try await source.wal.streamWAL(
            from: begin, timeline: start.timeline, slot: source.slot, to: capture, stop: stop)
        guard let required = stop.end else {
            throw PostgresError(
                .connectionLost, .wal, server: source.wal.server,
                detail: "the server ended the stream at \(end.position), before the backup")
        }
        try await capture.finish(required: required)
        let receipt = try await stream.finish()
        return CapturedWAL(
            start: start, end: end.position,
            archive: FinishedArchive(name: "pg_wal", location: "", receipt: receipt, members: capture.members))
    }

    /// Reads `CHECKPOINT LOCATION` from `backup_label`.
    private func checkpointLSN(_ label: String) -> String {
        let prefix = "CHECKPOINT LOCATION: "
        let line = label.split(separator: "\n").first { $0.hasPrefix(prefix) }
        return line.map { String($0.dropFirst(prefix.count)) } ?? LSN.zero.description
    }
}
