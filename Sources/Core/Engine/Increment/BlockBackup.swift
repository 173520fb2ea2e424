import BackupAPI
import PostgresClient
import WALFormat

/// Takes an incremental backup of a PostgreSQL that cannot make one itself (14 to 16), in the form that version 17 gives it:
/// finds out from the log which blocks changed, and reads them over SQL.
struct BlockBackup {
    let plan: BackupPlan
    let source: BackupSource
    /// The session that begins and ends the backup.
    let session: PostgresSession
    let parent: ChosenParent
    let progress: ProgressCounter

    /// Runs the backup into `streams`.
    /// - Returns: where it ends.
    /// - Throws: `.noIncremental` when it cannot be known what changed.
    func run(label: String, to streams: BackupStreams) async throws -> BaseBackupEnd {
        let timeline = source.identity.timeline
        guard parent.record.startTimeline == timeline.number, let parentStart = LSN(parent.record.startLSN),
            let parentEnd = LSN(parent.record.endLSN)
        else {
            throw EngineError(
                .noIncremental,
                "\(parent.record.label) is of timeline \(parent.record.startTimeline), and the server is on \(timeline)"
            )
        }
        let start = try await session.startOnlineBackup(label: label, timeLimit: .seconds(3600))
        guard parentEnd <= start else {
            throw EngineError(
                .noIncremental,
                "the server begins at \(start), before the end of \(parent.record.label) at \(parentEnd)",
                remedy:
                    "A standby begins at its last restart point: run CHECKPOINT on the primary, wait until the standby has it, "
                    + "and run the backup again; or take a full backup.")
        }
        let folders = try await session.tablespaces()
        // What is not elsewhere, but in the data directory itself, is sent with it (`allow_in_place_tablespaces`).
        let tablespaces = folders.filter { $0.location.hasPrefix("/") }
        try await streams.backupStarted(
            BaseBackupStart(
                startLSN: start, timeline: timeline, tablespaces: tablespaces, estimatedByteCount: nil))
        let changes = try await LogChanges(
            server: plan.server, archives: parent.walArchives, session: source.base, connection: plan.connection,
            timeline: timeline, segmentSize: source.segmentSize
        ).map(
            from: parentStart, checkpoint: parent.checkpoint(), to: start, through: session.endOfLog())
        let rule = IncrementRule(changes: changes, parentPaths: try await parent.paths())
        let versionFolder = try await session.tablespaceVersionFolder()
        let directory = DataDirectory(
            try await session.files(closed: DataDirectory.emptied, versionFolder: versionFolder),
            versionFolder: versionFolder, tablespaces: Set(folders.map { Substring($0.oid) }))
        let archives = Self.archives(directory.files, tablespaces, rule)
        progress.setTotal(byteCount: archives.reduce(0) { $0 + $1.entries.reduce(0) { $0 + $1.byteCount } })

        let end = try await send(archives, to: streams)
        try await BlockManifest(plan: plan, source: source).write(
            start: start, end: end, timeline: timeline, to: streams)
        return BaseBackupEnd(endLSN: end, timeline: timeline)
    }

    /// What becomes one tar stream.
    private struct Archive {
        let description: BaseBackupArchive
        var entries: [FilePlan] = []
    }

    /// Divides the files: those of each tablespace, and last those of the data directory.
    private static func archives(
        _ files: [ServerFile], _ tablespaces: [BaseBackupTablespace], _ rule: IncrementRule
    ) -> [Archive] {
        var archives = tablespaces.map {
            Archive(description: BaseBackupArchive(name: $0.oid, location: $0.location))
        }
        var base = Archive(description: .base)
        let numbers = Dictionary(tablespaces.enumerated().map { (Substring($1.oid), $0) }) { first, _ in first }
        for file in files {
            let parts = file.path.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
            if parts.count == 3, parts[0] == "pg_tblspc", let number = numbers[parts[1]] {
                archives[number].entries.append(FilePlan(file, path: String(parts[2]), rule: rule))
            } else {
                base.entries.append(FilePlan(file, path: file.path, rule: rule))
            }
        }
        return archives + [base]
    }

    /// Sends all archives, and ends the backup before the last of them does.
    private func send(_ archives: [Archive], to streams: BackupStreams) async throws -> LSN {
        var readers: [ServerFileReader] = []
        defer { for reader in readers { reader.close() } }
        let instance = try await session.instance()
        for _ in 0..<max(1, plan.workers) {
            readers.append(try await ServerFileReader.open(plan.connection, of: instance))
        }
        let stretches = ServerFileStream(
            readers: readers, plans: archives.flatMap(\.entries).filter { !$0.file.isFolder })
        let writer = try await BlockArchiveWriter(
            streams: streams, isGroupReadable: session.parameter("data_directory_mode") == "0750",
            meter: plan.meter)
        var end = LSN.zero
        for archive in archives {
            try await streams.archiveStarted(archive.description)
            for entry in archive.entries {
                try await writer.add(entry, from: stretches, links: archives.map(\.description))
            }
            if archive.description == .base {
                let stop = try await session.stopOnlineBackup()
                end = stop.endLSN
                try await writer.add("backup_label", Array((stop.label + parentLines()).utf8), modifiedAt: plan.now())
            }
            try await writer.finishArchive()
        }
        return end
    }

    /// What PostgreSQL 17 and later say in `backup_label` of an incremental backup.
    private func parentLines() -> String {
        "INCREMENTAL FROM LSN: \(parent.record.startLSN)\nINCREMENTAL FROM TLI: \(parent.record.startTimeline)\n"
    }
}
