import BackupCLI
import BackupEngine
import Glibc
import PostgresClient

/// What the daemon knows as Prometheus reads it ("Exposition formats"); names as in the reference system where they mean the same.
struct Metrics: Sendable {
    let state: DaemonState

    /// All samples.
    var text: String {
        let servers = state.all
        var writer = MetricsWriter()
        writer.add("pgmoneta_state", "Whether the daemon runs", [([], 1)])
        writer.add("pgmoneta_version", "The version of the daemon", [([("version", ProgramVersion.text)], 1)])
        writer.add("pgmoneta_uptime_seconds", "How long the daemon runs", [([], time(nil) - state.startedAt)])
        writer.add(
            "pgmoneta_server_valid", "Whether the backups of a server could be looked at on every target",
            servers.map { ([("name", $0.name)], $0.isSeen ? 1 : 0) })
        writer.add(
            "pgmoneta_server_online", "Whether PostgreSQL answers and the daemon works for it",
            servers.map { ([("name", $0.name)], $0.isOnline && $0.isAnswering == true ? 1 : 0) })
        addServers(servers, &writer)
        addBackups(servers, &writer)
        addReceivers(servers, &writer)
        return writer.text
    }

    private func addServers(_ servers: [DaemonState.Server], _ writer: inout MetricsWriter) {
        let known = servers.compactMap { server in server.backups.map { (server.name, $0.backups) } }
        func add(_ name: String, _ help: String, _ value: ([BackupSummary]) -> Int?) {
            writer.add(name, help, known.compactMap { server, list in value(list).map { ([("name", server)], $0) } })
        }
        add("pgmoneta_backup_valid_count", "How many valid backups there are") { $0.count { $0.validity == .yes } }
        add("pgmoneta_backup_invalid_count", "How many damaged backups there are") { $0.count { $0.validity == .no } }
        add("pgmoneta_backup_oldest", "The label of the oldest valid backup") { list in
            list.first { $0.validity == .yes }.flatMap { Int($0.label) }
        }
        add("pgmoneta_backup_newest", "The label of the newest valid backup") { list in
            list.last { $0.validity == .yes }.flatMap { Int($0.label) }
        }
        add("pgmoneta_backup_newest_age_seconds", "How long ago the newest valid backup began") { list in
            list.last { $0.validity == .yes }.flatMap { BackupLabel($0.label) }.map { time(nil) - $0.secondsSince1970 }
        }
        add("pgmoneta_backup_newest_size", "Stored bytes of the newest backup") { $0.last?.backupByteCount }
        add("pgmoneta_restore_newest_size", "Bytes that a restore of the newest backup writes") {
            $0.last?.restoreByteCount
        }
        add("pgmoneta_backup_total_size", "Stored bytes of all backups") { $0.reduce(0) { $0 + $1.backupByteCount } }
    }

    private func addBackups(_ servers: [DaemonState.Server], _ writer: inout MetricsWriter) {
        let all = servers.flatMap { server in (server.backups?.backups ?? []).map { (server.name, $0) } }
        func add(_ name: String, _ help: String, _ value: (BackupSummary) -> Int) {
            writer.add(name, help, all.map { ([("name", $0), ("label", $1.label)], value($1)) })
        }
        add("pgmoneta_backup_valid", "Whether a backup is valid") { $0.validity == .yes ? 1 : 0 }
        add("pgmoneta_backup_size", "Stored bytes of a backup") { $0.backupByteCount }
        add("pgmoneta_restore_size", "Bytes that a restore of a backup writes") { $0.restoreByteCount }
        add("pgmoneta_backup_retain", "Whether a backup is kept") { $0.isKept ? 1 : 0 }
        add("pgmoneta_backup_total_elapsed_time", "Seconds that a backup took") { $0.elapsedSeconds }
        add("pgmoneta_backup_verified_at", "When a backup was verified last, in seconds since 1970; 0 is never") {
            $0.verifiedAt ?? 0
        }
    }

    private func addReceivers(_ servers: [DaemonState.Server], _ writer: inout MetricsWriter) {
        let known = servers.compactMap { server in server.receiver.map { (server.name, $0) } }
        func add(_ name: String, _ help: String, _ value: (ReceiverProgress.Reading) -> Int) {
            writer.add(name, help, known.map { ([("name", $0)], value($1)) })
        }
        add("pgmoneta_wal_streaming", "Whether WAL is being received") { $0.isStreaming ? 1 : 0 }
        add("pgmoneta_server_timeline", "The timeline of the WAL that is received") { Int($0.timeline) }
        add("pgmoneta_wal_received_position", "The position behind the last byte of WAL that came") {
            Int(clamping: $0.received.position)
        }
        add("pgmoneta_wal_safe_position", "The position behind the last byte of WAL that is on the disk here") {
            Int(clamping: $0.safe.position)
        }
        add("pgmoneta_wal_waiting_files", "Files of WAL that wait for a target") { $0.waitingCount }
        add("pgmoneta_wal_waiting_bytes", "Bytes of WAL in the spool") { $0.waitingByteCount }
        add("pgmoneta_wal_gaps", "Times that WAL was gone from the server before it came") { $0.gapCount }
        add("pgmoneta_wal_upload_failing", "Whether a target does not take WAL") { $0.uploadFault == nil ? 0 : 1 }
    }
}

/// Writes samples under their names.
private struct MetricsWriter {
    private(set) var text = ""

    mutating func add(_ name: String, _ help: String, _ samples: [(labels: [(String, String)], value: Int)]) {
        guard !samples.isEmpty else { return }
        text += "# HELP \(name) \(help)\n# TYPE \(name) gauge\n"
        for sample in samples {
            let labels = sample.labels.map { "\($0)=\"\(Self.escaped($1))\"" }.joined(separator: ",")
            text += labels.isEmpty ? "\(name) \(sample.value)\n" : "\(name){\(labels)} \(sample.value)\n"
        }
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
