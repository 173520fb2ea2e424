package import BackupAPI
package import BackupEngine
package import PostgresClient

/// Builds the Response of the commands about backups. Every field of the manual's samples is here under its name.
package struct BackupReplies: Sendable {
    /// Gives the numbers of compressions and encryptions.
    package let codecs: CodecRegistry

    /// Makes a builder.
    package init(codecs: CodecRegistry) { self.codecs = codecs }

    /// `backup`.
    package func backup(_ summary: BackupSummary) -> [String: OutputValue] {
        var fields = common(ServerIdentity(summary))
        fields.merge(sizes(summary)) { $1 }
        fields.merge(kind(summary)) { $1 }
        fields["Backup"] = .string(summary.label)
        fields["Targets"] = targets(summary.targets)
        return fields
    }

    /// `list-backup`.
    package func list(_ answer: BackupListAnswer) -> [String: OutputValue] {
        var fields = common(answer.server)
        fields["Backups"] = .list(answer.backups.map { .object(item($0)) })
        fields["Targets"] = targets(answer.targets)
        return fields
    }

    /// `progress`.
    package func progress(_ running: RunningBaseBackup?, server: ServerSettings) -> [String: OutputValue] {
        var fields = common(ServerIdentity(name: server.name))
        fields["ProgressState"] = .named(running == nil ? "none" : "running", number: running == nil ? 0 : 1)
        guard let running else { return fields }
        fields["Done"] = .size(running.sentByteCount)
        fields["Elapsed"] = .elapsed(seconds: running.elapsedSeconds)
        fields["Phase"] = .string(running.phase)
        guard let total = running.totalByteCount, total > 0 else { return fields }
        let (done, seconds) = (min(running.sentByteCount, total), running.elapsedSeconds)
        fields["Total"] = .size(total)
        fields["Percentage"] = .integer(Int(Double(done) / Double(total) * 100))
        if done > 0 {
            fields["Remaining"] = .elapsed(seconds: Int(Double(seconds) * Double(total - done) / Double(done)))
        }
        return fields
    }

    /// `info`.
    package func info(_ summary: BackupSummary) -> [String: OutputValue] {
        var fields = details(summary)
        fields["Chain"] = .list(summary.chain.map { .string($0) })
        return fields
    }

    private func details(_ summary: BackupSummary) -> [String: OutputValue] {
        var fields = backup(summary)
        fields.merge(state(summary)) { $1 }
        fields.merge(OutputValue.lsn("Start", summary.startLSN)) { $1 }
        fields.merge(OutputValue.lsn("End", summary.endLSN)) { $1 }
        fields.merge(OutputValue.lsn("Checkpoint", summary.checkpointLSN)) { $1 }
        fields["Elapsed"] = .integer(summary.elapsedSeconds)
        fields["StartTimeline"] = .integer(summary.startTimeline)
        fields["EndTimeline"] = .integer(summary.endTimeline)
        fields["NumberOfTablespaces"] = .integer(summary.tablespaces.count)
        let paths = summary.tablespaces.map { ($0.name, OutputValue.string($0.path)) }
        fields["Tablespaces"] = .object(Dictionary(paths) { $1 })
        fields["WAL"] = .string(summary.walSegment)
        return fields
    }

    /// `restore`.
    package func restore(_ answer: RestoreAnswer) -> [String: OutputValue] {
        var fields = common(ServerIdentity(answer.summary))
        fields.merge(sizes(answer.summary)) { $1 }
        fields.merge(kind(answer.summary)) { $1 }
        fields["Backup"] = .string(answer.summary.label)
        fields["Comments"] = .string(Self.comments(answer.summary.comments))
        fields["Directory"] = .string(answer.directory)
        fields["Targets"] = targets(answer.summary.targets)
        return fields
    }

    /// `archive`.
    package func archive(_ answer: ArchiveAnswer) -> [String: OutputValue] {
        var fields = common(ServerIdentity(answer.summary))
        fields.merge(sizes(answer.summary)) { $1 }
        fields.merge(kind(answer.summary)) { $1 }
        fields["Archive"] = .string(answer.archive)
        fields["ArchiveSize"] = .size(answer.byteCount)
        fields["Backup"] = .string(answer.summary.label)
        fields["Comments"] = .string(Self.comments(answer.summary.comments))
        fields["Targets"] = targets(answer.summary.targets)
        fields["UnpackedSize"] = .size(answer.plainByteCount)
        return fields
    }

    /// `delete`.
    package func delete(_ answer: DeleteAnswer) -> [String: OutputValue] {
        var fields = common(ServerIdentity(answer.summary))
        fields["Backup"] = .string(answer.summary.label)
        fields["Deleted"] = .list(answer.deleted.map { .string($0) })
        fields["Targets"] = targets(answer.summary.targets)
        return fields
    }

    /// `annotate`.
    package func annotate(_ answer: NotesAnswer) -> [String: OutputValue] { details(answer.summary) }

    /// `retain` and `expunge`.
    package func retain(_ answer: NotesAnswer) -> [String: OutputValue] {
        var fields = backup(answer.summary)
        fields.merge(state(answer.summary)) { $1 }
        fields["Backups"] = .list(answer.labels.map { .string($0) })
        return fields
    }

    /// `retention`.
    package func retention(_ answer: RetentionAnswer, server: ServerSettings, isDryRun: Bool) -> [String: OutputValue] {
        var fields = common(ServerIdentity(name: server.name))
        let gone = answer.items.filter { !$0.decision.isKept }
        fields["Backups"] = .list(
            answer.items.map { item in
                .object([
                    "Backup": .string(item.decision.backup.label.string),
                    "BackupSize": .size(item.decision.backup.byteCount),
                    "Decision": .string(item.decision.isKept ? "keep" : "go"),
                    "Reasons": .list(item.decision.reasons.map { .string($0.description) }),
                    "Target": .string(item.target),
                ])
            })
        fields["DryRun"] = .bool(isDryRun)
        fields["Freed"] = .size(gone.reduce(0) { $0 + $1.decision.backup.byteCount })
        fields["Retention"] = .string(server.retention.text)
        fields["Targets"] = targets(answer.targets)
        fields["WAL"] = .list(
            answer.wal.map { item in
                .object([
                    "Files": .integer(item.expired.fileCount),
                    "First": .string(item.expired.expiry.first?.string ?? ""),
                    "Freed": .size(item.expired.byteCount),
                    "Reason": .string(item.expired.expiry.reason.description), "Target": .string(item.target),
                ])
            })
        return fields
    }

    /// `copy`.
    package func copy(_ answer: CopyAnswer) -> [String: OutputValue] {
        var fields = backup(answer.summary)
        fields["From"] = .string(answer.source)
        fields["To"] = .string(answer.destination)
        fields["CopiedBytes"] = .size(answer.copiedByteCount)
        fields["SkippedObjects"] = .integer(answer.skippedObjectCount)
        return fields
    }

    /// Comments on one line: `key|comment,key|comment`, with `\` before each `\`, `,` and `|` inside them.
    package static func comments(_ comments: [String: String]) -> String {
        func escaped(_ text: String) -> String {
            text.reduce(into: "") { result, character in
                if character == "\\" || character == "," || character == "|" { result += "\\" }
                result.append(character)
            }
        }
        return comments.sorted { $0.key < $1.key }.map { "\(escaped($0.key))|\(escaped($0.value))" }
            .joined(separator: ",")
    }

    /// The fields that every reply about a server has.
    package func common(_ server: ServerIdentity) -> [String: OutputValue] {
        var fields: [String: OutputValue] = [
            "Server": .string(server.name), "ServerVersion": .string(ProgramVersion.text),
        ]
        fields["MajorVersion"] = server.majorVersion.map { .integer($0) }
        fields["MinorVersion"] = server.minorVersion.map { .integer($0) }
        return fields
    }

    private func item(_ summary: BackupSummary) -> [String: OutputValue] {
        var fields = sizes(summary)
        fields.merge(kind(summary)) { $1 }
        fields.merge(state(summary)) { $1 }
        fields["Backup"] = .string(summary.label)
        fields["Server"] = .string(summary.server)
        fields["Targets"] = targets(summary.targets)
        fields["WAL"] = .size(summary.walByteCount)
        return fields
    }

    private func sizes(_ summary: BackupSummary) -> [String: OutputValue] {
        ["BackupSize": .size(summary.backupByteCount), "RestoreSize": .size(summary.restoreByteCount)]
    }

    private func kind(_ summary: BackupSummary) -> [String: OutputValue] {
        var fields: [String: OutputValue] = [
            "Compression": codec(summary.compression), "Encryption": codec(summary.encryption),
            "Incremental": .bool(summary.parent != nil),
        ]
        fields["IncrementalParent"] = summary.parent.map { .string($0) }
        return fields
    }

    private func state(_ summary: BackupSummary) -> [String: OutputValue] {
        [
            "Comments": .string(Self.comments(summary.comments)), "Keep": .bool(summary.isKept),
            "Valid": .validity(summary.validity),
        ]
    }

    /// How targets came out.
    func targets(_ outcomes: [TargetOutcome]) -> OutputValue {
        .list(
            outcomes.map { outcome in
                var fields: [String: OutputValue] = [
                    "Target": .string(outcome.target), "Status": .string(outcome.status.rawValue),
                ]
                fields["Error"] = outcome.error.map { .string($0) }
                fields["Durability"] = outcome.durability.map { .string($0.rawValue) }
                fields["FreeSpace"] = outcome.freeByteCount.map { .size($0) }
                fields["Verified"] = outcome.verifiedAt.map {
                    .string(CalendarTime(secondsSince1970: $0).compact)
                }
                return .object(fields)
            })
    }

    /// A codec by name and number; -1 where a record names one that this program does not know.
    private func codec(_ name: String?) -> OutputValue {
        guard let name else { return .named("none", number: 0) }
        return .named(name, number: codecs.factory(named: name)?.number ?? -1)
    }
}

extension ServerIdentity {
    /// The server of a backup.
    fileprivate init(_ summary: BackupSummary) {
        self.init(name: summary.server, majorVersion: summary.majorVersion, minorVersion: summary.minorVersion)
    }
}
