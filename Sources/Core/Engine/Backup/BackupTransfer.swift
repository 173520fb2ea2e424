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

    func run(label: BackupLabel) async throws -> BackupContent {
        let started = Mailbox<BaseBackupStart>()
        let stop = WALStop()
        async let wal = captureWAL(started: started, stop: stop)
        let streams = BackupStreams(pipe: pipe, plan: plan, started: started, progress: progress)
        let end: BaseBackupEnd
        let manifest: StoredObject
        do {
            try await parent?.upload(to: source.base)
            end = try await source.base.baseBackup(options(label), to: streams)
            manifest = try await streams.finishManifest()
        } catch {
            started.fail(error)
            stop.stopNow()
            _ = try? await wal
            throw error
        }
        stop.stop(at: end.endLSN)
        let (start, walArchive) = try await wal
        guard walArchive.end >= end.endLSN else {
            throw EngineError(.streamMalformed, "WAL ends at \(walArchive.end), the backup needs \(end.endLSN)")
        }
        let archives = (streams.archives + [walArchive.archive]).map {
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
            start: start, end: end, checkpointLSN: checkpointLSN(streams.label), tablespaces: streams.tablespaces,
            index: index, manifest: manifest, indexObject: try await indexStream.finish().onlyVolume)
    }

    private func options(_ label: BackupLabel) -> BaseBackupOptions {
        BaseBackupOptions(
            label: "pgmoneta \(label)", maxRateInKilobytesPerSecond: plan.maxRateInKilobytesPerSecond,
            manifestChecksums: plan.manifestChecksums, serverCompression: plan.wireCompression,
            incremental: parent != nil)
    }

    private func captureWAL(
        started: Mailbox<BaseBackupStart>, stop: WALStop
    ) async throws -> (BaseBackupStart, (archive: FinishedArchive, end: LSN)) {
        let slot = try await source.openWAL()
        guard let start = try await started.next() else { throw CancellationError() }
        let begin = start.startLSN.roundedDownToSegment(size: source.segmentSize)
        let suffix = pipe.chain.suffix
        let stream = pipe.beginStream(framesPerVolume: pipe.format.framesPerVolume) { volume in
            Layout.volumePath(archive: "pg_wal", volume: volume, suffix: suffix)
        }
        let capture = WALCapture(
            stream: stream, start: begin, timeline: start.timeline, size: source.segmentSize, modifiedAt: plan.now())
        if start.timeline.number > 1 {
            let history = try await source.wal().timelineHistory(start.timeline)
            try await capture.add(history.fileName, history.bytes)
        }
        let end = try await source.wal().streamWAL(
            from: begin, timeline: start.timeline, slot: slot, to: capture, stop: stop)
        guard let required = stop.end, required > .zero else {
            throw EngineError(.streamMalformed, "the WAL stream ended at \(end.position) before the base backup did")
        }
        try await capture.finish(required: required)
        let receipt = try await stream.finish()
        let archive = FinishedArchive(name: "pg_wal", location: "", receipt: receipt, members: capture.members)
        return (start, (archive, end.position))
    }

    /// Reads `CHECKPOINT LOCATION` from `backup_label`.
    private func checkpointLSN(_ label: String) -> String {
        let prefix = "CHECKPOINT LOCATION: "
        let line = label.split(separator: "\n").first { $0.hasPrefix(prefix) }
        return line.map { String($0.dropFirst(prefix.count)) } ?? LSN.zero.description
    }
}
