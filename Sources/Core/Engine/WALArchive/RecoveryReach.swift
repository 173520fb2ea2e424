package import PostgresClient

/// What a recovery aims for.
package enum RecoveryTarget: Sendable, Hashable {
    /// The backup's own end: no more WAL is needed.
    case backupEnd
    /// The end of all WAL.
    case end
    /// A restore point.
    case name(String)
    /// A transaction.
    case transaction(UInt64)
    case lsn(LSN)
    /// Microseconds since 1970. Inclusive, recovery ends at the first transaction that is later; else at the first that is not
    /// earlier (documentation, "recovery_target_inclusive").
    case time(Int, isInclusive: Bool)
}

/// Which timeline a recovery follows.
package enum RecoveryTimeline: Sendable, Hashable {
    /// The newest one that the archive knows and that comes from the backup's.
    case latest
    /// The backup's.
    case current
    case number(Timeline)
}

/// Says beforehand whether a recovery gets where it shall: the WAL behind the backup has to be in the archive, without a gap.
package struct RecoveryReach: Sendable {
    private static let recordsAtOnce = 8
    private let archives: [WALArchive]

    /// - Parameter archives: of the targets that can be looked at.
    package init(archives: [WALArchive]) { self.archives = archives }

    /// - Throws: `.walMissing` with what is missing, or what is not in the WAL that is there.
    package func require(
        _ target: RecoveryTarget, from record: BackupRecord, along timeline: RecoveryTimeline
    ) async throws {
        guard let end = LSN(record.endLSN), let endTimeline = Timeline(UInt32(record.endTimeline)),
            let size = WALSegmentSize(byteCount: record.walSegmentBytes)
        else { throw EngineError(.recordDamaged, "'\(record.label)' does not say where it ends") }
        if case .lsn(let wanted) = target, wanted < end {
            throw EngineError(.walMissing, "\(record.label) ends at \(end), behind \(wanted)", remedy: Self.older)
        }
        if case .time(let moment, _) = target, moment < record.endedAt * 1_000_000 {
            throw EngineError(.walMissing, "\(record.label) ended after that time", remedy: Self.older)
        }
        var inventory = WALInventory()
        for archive in archives { inventory.add(try await archive.inventory()) }
        let history = try await history(timeline, endTimeline, end, inventory)
        var run: [WALFileName] = []
        var number = WALSegment(containing: end, timeline: endTimeline, size: size).number
        while let name = history.timelines(ofSegment: number, size: size).lazy
            .filter({ inventory.part($0).hasSegment(number) }).map({ inventory.name(of: number, $0) }).first,
            let file = WALFileName(name)
        {
            run.append(file)
            number += 1
        }
        let missing = WALSegment(
            containing: LSN(number &* UInt64(size.byteCount)), timeline: history.timeline, size: size
        ).name
        if target == .end, hasMore(behind: number, history, inventory, size) {
            throw EngineError(
                .walMissing, "\(missing) is missing, and there is more behind it",
                remedy:
                    "Choose a position before it, or bring the segment into the archive with 'pgmoneta-cli wal-push'.")
        }
        try await require(target, in: run, missing: missing)
    }

    /// Whether a segment of the way is there behind one that is missing.
    private func hasMore(
        behind missing: UInt64, _ history: TimelineHistory, _ inventory: WALInventory, _ size: WALSegmentSize
    ) -> Bool {
        inventory.timelines.contains { timeline in
            inventory.part(timeline).runs.contains { run in
                run.upperBound > missing
                    && history.timelines(ofSegment: max(run.lowerBound, missing), size: size).contains(timeline)
            }
        }
    }

    private static let older = "Choose an older backup, or 'newest', which takes the right one by itself."

    private func require(
        _ target: RecoveryTarget, in run: [WALFileName], missing: String
    ) async throws {
        func absent(_ words: String) -> EngineError {
            EngineError(.walMissing, "\(words); the first segment that is missing is \(missing)")
        }
        switch target {
        case .backupEnd, .end: return
        case .transaction:
            if run.isEmpty { throw absent("there is no WAL behind the backup") }
        case .lsn(let wanted):
            // PostgreSQL ends at a record that begins there or behind.
            for file in run.reversed() {
                guard let last = try await record(file)?.segment?.lastRecord.flatMap({ LSN($0) }) else { continue }
                guard last < wanted else { return }
                throw absent("the last record in the WAL is at \(last), before \(wanted)")
            }
            throw absent("there is no WAL behind the backup")
        case .name(let name):
            let found = try await run.map(atOnce: Self.recordsAtOnce) { try await record($0)?.segment?.restorePoints }
            guard found.contains(where: { $0?.contains(name) == true }) else {
                throw absent("there is no restore point '\(name)'")
            }
        case .time(let moment, let isInclusive):
            for file in run.reversed() {
                guard let last = try await record(file)?.segment?.lastTransactionAt else { continue }
                if last > moment || last == moment && !isInclusive { return }
                let time = CalendarTime(secondsSince1970: last / 1_000_000).compact
                throw absent("the last transaction in the WAL ended at \(time)")
            }
            throw absent("there is no transaction in the WAL behind the backup")
        }
    }

    /// The way that the recovery takes.
    private func history(
        _ wanted: RecoveryTimeline, _ own: Timeline, _ end: LSN, _ inventory: WALInventory
    ) async throws -> TimelineHistory {
        switch wanted {
        case .current: return TimelineHistory(ofFirst: own)
        case .number(let timeline):
            guard timeline != own else { return TimelineHistory(ofFirst: own) }
            guard let found = try await history(of: timeline), found.passes(end, on: own) else {
                throw EngineError(
                    .walMissing,
                    "timeline \(timeline) does not come from timeline \(own) behind \(end), or is not known")
            }
            return found
        case .latest:
            for timeline in inventory.timelines.reversed() where timeline > own {
                if let found = try await history(of: timeline), found.passes(end, on: own) { return found }
            }
            return TimelineHistory(ofFirst: own)
        }
    }

    private func history(of timeline: Timeline) async throws -> TimelineHistory? {
        for archive in archives { if let found = try await archive.history(of: timeline) { return found } }
        return nil
    }

    private func record(_ name: WALFileName) async throws -> ArchivedWAL? {
        for archive in archives { if let found = try await archive.record(name) { return found } }
        return nil
    }
}
