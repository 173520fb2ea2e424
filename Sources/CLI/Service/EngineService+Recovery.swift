import BackupAPI
import BackupEngine
import Glibc
import Logging
import PostgresClient

extension EngineService {
    /// The backup that a restore begins with. With a place or a moment, `newest` and `oldest` are those that end before it.
    func label(for request: RestoreRequest, in view: CatalogView) throws -> BackupLabel {
        guard request.position.choosesBackup, [.newest, .oldest].contains(request.identifier) else {
            return try view.label(request.identifier)
        }
        let fitting = view.validRecords.filter { record in
            switch request.position.target {
            case .lsn(let wanted): record.position(record.endLSN) <= wanted
            case .time(let moment): record.endedAt * 1_000_000 <= moment.unixMicroseconds
            default: true
            }
        }
        guard let record = request.identifier == .newest ? fitting.last : fitting.first else {
            throw EngineError(.noBackup, "'\(request.server.name)' has none that ends before the position")
        }
        return record.label
    }

    /// What PostgreSQL is told; nil when the backup's own WAL is all that it needs.
    /// - Throws: `.walMissing` when it would not get there.
    func recovery(_ request: RestoreRequest, from record: BackupRecord) async throws -> RecoverySettings? {
        let position = request.position
        guard position.needsArchive else { return nil }
        var archives: [WALArchive] = []
        var firstFailure: (any Error)?
        for source in walSources(request.server.name, request.targets) {
            do { archives.append(try await source.archive()) } catch { firstFailure = firstFailure ?? error }
        }
        if archives.isEmpty, let firstFailure { throw firstFailure }
        do {
            try await RecoveryReach(archives: archives).require(
                position.recoveryTarget, from: record, along: position.recoveryTimeline)
        } catch let error as EngineError where error.reason == .walMissing {
            guard let firstFailure else { throw error }
            // It may have what the others lack.
            Logger.current.warning(
                "without that target the WAL does not suffice", metadata: [LogKeys.error: "\(error)"])
            throw firstFailure
        }
        let isEncrypted = archives.contains { $0.repository.description.isEncrypted }
        var parameters = [RecoverySettings.Parameter("restore_command", try restoreCommand(request, isEncrypted))]
        parameters += position.parameters
        if position.role == .replica {
            let server = request.server.connection
            parameters.append(
                .init("primary_conninfo", "host=\(server.host) port=\(server.port) user=\(server.user)"))
        }
        return RecoverySettings(signal: position.role == .replica ? .standby : .recovery, parameters: parameters)
    }

    /// The shell's command by which PostgreSQL asks this program for WAL.
    private func restoreCommand(_ request: RestoreRequest, _ isEncrypted: Bool) throws -> String {
        var words = [Self.programPath, "-c", AbsolutePath.of(options.configurationPath)]
        words += try secretWords(isEncrypted)
        if let targets = request.targetOption { words += ["--target", targets] }
        words += ["wal-fetch", request.server.name]
        // PostgreSQL replaces %f and %p; a % of a path is doubled.
        let command = words.map { "'" + $0.replacing("'", with: "'\\''").replacing("%", with: "%%") + "'" }
        return command.joined(separator: " ") + " %f \"%p\""
    }

    /// The options by which the command gets the secret.
    private func secretWords(_ isEncrypted: Bool) throws -> [String] {
        switch options.masterKeySource {
        case .file(nil) where !isEncrypted: return []
        case .file: return ["--master-key", try masterKeyFile().path]
        case .passphraseFile("-"):
            throw UsageError(
                "PostgreSQL cannot be asked for a passphrase while it recovers",
                remedy: "Use a file with --passphrase-file, or --key-command.")
        case .passphraseFile(let path): return ["--passphrase-file", AbsolutePath.of(path)]
        case .command(let command): return ["--key-command", command]
        }
    }

    private static var programPath: String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = unsafe readlink("/proc/self/exe", &buffer, buffer.count - 1)
        return String(decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension RestorePosition {
    /// Whether PostgreSQL needs more WAL than the backup has.
    var needsArchive: Bool {
        switch target {
        case nil, .immediate: isInclusive != nil || timeline != nil || action != nil || role == .replica
        default: true
        }
    }

    /// Whether it says which of several backups is the right one.
    var choosesBackup: Bool {
        switch target {
        case .lsn, .time: true
        default: false
        }
    }

    fileprivate var recoveryTarget: RecoveryTarget {
        switch target {
        case .immediate: .backupEnd
        // A standby takes from its primary what the archive does not have.
        case nil, .current: role == .replica ? .backupEnd : .end
        case .name(let name): .name(name)
        case .transaction(let number): .transaction(number)
        case .lsn(let position): .lsn(LSN(position))
        case .time(let moment): .time(moment.unixMicroseconds, isInclusive: isInclusive ?? true)
        }
    }

    fileprivate var recoveryTimeline: RecoveryTimeline {
        switch timeline {
        case nil, .latest: .latest
        case .current: .current
        case .number(let number): PostgresClient.Timeline(number).map { .number($0) } ?? .latest
        }
    }

    /// The settings that say where recovery ends (documentation, "Recovery Target"). All are set, those that the backed-up cluster
    /// was restored with itself too; and those of other targets are emptied first, because PostgreSQL refuses a second one as soon
    /// as it reads it.
    fileprivate var parameters: [RecoverySettings.Parameter] {
        var parameters = ["", "_name", "_xid", "_lsn", "_time"].map {
            RecoverySettings.Parameter("recovery_target" + $0, "")
        }
        switch target {
        case nil, .current: break
        case .immediate: parameters.append(.init("recovery_target", "immediate"))
        case .name(let name): parameters.append(.init("recovery_target_name", name))
        case .transaction(let number): parameters.append(.init("recovery_target_xid", "\(number)"))
        case .lsn(let position): parameters.append(.init("recovery_target_lsn", "\(LSN(position))"))
        case .time(let moment): parameters.append(.init("recovery_target_time", moment.description))
        }
        let wanted =
            switch timeline {
            case nil, .latest: "latest"
            case .current: "current"
            case .number(let number): "\(number)"
            }
        return parameters + [
            .init("recovery_target_inclusive", isInclusive ?? true ? "on" : "off"),
            .init("recovery_target_timeline", wanted),
            .init("recovery_target_action", (action ?? .pause).rawValue),
        ]
    }
}
