extension ServerMessage {
    /// Finds the reason for what was said, and the remedy where it can be more precise than the reason's.
    func error(_ operation: PostgresError.Operation, server: String, user: String?) -> PostgresError {
        let (reason, remedy) =
            sqlState.map { judge(state: $0, operation, user: user ?? "USER") } ?? judgeLibpq(operation)
        return PostgresError(
            reason, operation, server: server, detail: text.isEmpty ? nil : text, sqlState: sqlState, remedy: remedy)
    }

    private typealias Judgement = (PostgresError.Reason, remedy: String?)

    /// Judges an error that the server sent, by its code (appendix "PostgreSQL Error Codes"); words only where a code is used
    /// for several things.
    private func judge(state: String, _ operation: PostgresError.Operation, user: String) -> Judgement {
        switch state {
        case "28P01": (.authenticationFailed, nil)
        case "28000": judgeAccess(user: user)
        case "3D000": (.noSuchDatabase, nil)
        case "42501": judgePrivilege(operation, user: user)
        case "53300": judgeConnections()
        case "57P03": (.serverStarting, nil)
        case "57P01", "57P02", "57P04", "57P05": (.connectionLost, nil)
        case "08000", "08001", "08003", "08004", "08006": (.connectionLost, nil)
        case "57014": (.backupOrOther(operation), "Somebody cancelled it on the server, or a time limit there did.")
        case "55006", "42710": (operation == .createSlot || operation == .wal ? .slotInUse : .other, nil)
        case "53400" where operation == .createSlot: (.noSlots, nil)
        case "55000": judgeState(operation)
        case "58P01" where operation == .wal: (.walGone, nil)
        case "XX001", "XX002": (.damagedPages, nil)
        case _ where text.contains("system identifier") && text.contains("manifest"): (.parentUnfit, nil)
        case "08P01": (.protocol, nil)
        case "42602" where operation == .createSlot:
            (.settings, "Use lower-case letters, digits and '_' in the slot's name.")
        default: (.backupOrOther(operation), nil)
        }
    }

    /// 28000: `pg_hba.conf` has no line, or the role may not log in.
    private func judgeAccess(user: String) -> Judgement {
        if text.contains("pg_hba.conf") {
            let database = text.contains("replication connection") ? "replication" : "all"
            return (
                .permission,
                "Add to the server's pg_hba.conf: 'host \(database) \(user) ADDRESS/32 scram-sha-256' (for a Unix socket: "
                    + "'local \(database) \(user) scram-sha-256'); then run: SELECT pg_reload_conf();"
            )
        }
        return (.authenticationFailed, "Run as a superuser: CREATE ROLE \(user) LOGIN REPLICATION PASSWORD '…';")
    }

    private func judgePrivilege(_ operation: PostgresError.Operation, user: String) -> Judgement {
        let role = "\"\(user)\""
        switch operation {
        case .connect, .identify, .show, .createSlot, .timelineHistory, .backup, .manifest, .wal:
            return (.permission, "Run as a superuser: ALTER ROLE \(role) REPLICATION;")
        case .query, .check:
            for function in ["pg_backup_start", "pg_start_backup", "pg_backup_stop", "pg_stop_backup", "pg_switch_wal"]
            where text.contains(function) {
                return (.permission, "Run as a superuser: GRANT EXECUTE ON FUNCTION \(function) TO \(role);")
            }
            if text.contains("pg_read_binary_file") || text.contains("pg_ls_dir") || text.contains("pg_stat_file") {
                return (.permission, "Run as a superuser: GRANT pg_read_server_files TO \(role);")
            }
            return (.permission, "Run as a superuser: GRANT pg_monitor TO \(role);")
        }
    }

    /// 53300: no session is left, or no WAL sender.
    private func judgeConnections() -> Judgement {
        guard text.contains("max_wal_senders") else { return (.tooManyConnections, nil) }
        if text.contains("(currently 0)") { return (.walLevel, nil) }
        return (
            .tooManyConnections,
            "Run: ALTER SYSTEM SET max_wal_senders = 20; then restart the server; 'SELECT * FROM pg_stat_replication;' shows "
                + "who uses them."
        )
    }

    /// 55000: something of the server's set-up is missing.
    private func judgeState(_ operation: PostgresError.Operation) -> Judgement {
        if text.contains("wal_level") || text.contains("WAL level") { return (.walLevel, nil) }
        if text.contains("max_replication_slots") { return (.noSlots, nil) }
        if text.contains("this backup starts at") {
            return (.parentUnfit, "Wait until the server has replayed more WAL, then run the command again.")
        }
        if text.contains("manifest requires WAL") || text.contains("found in manifest") { return (.parentUnfit, nil) }
        if text.contains("summariz") || text.contains("summaries") { return (.summariesMissing, nil) }
        if text.contains("replication slot"), operation == .wal { return (.walGone, nil) }
        return (.backupOrOther(operation), nil)
    }

    /// Judges what libpq itself says; without a locale it says it in English.
    private func judgeLibpq(_ operation: PostgresError.Operation) -> Judgement {
        func says(_ phrases: String...) -> Bool { phrases.contains { text.contains($0) } }
        if says("could not translate host name") { return (.noSuchHost, nil) }
        if says("Connection refused", "No such file or directory") && says("connection to server") {
            return (.connectionRefused, nil)
        }
        if says("no password supplied") {
            return (
                .authenticationFailed, "Set a password with 'pgmoneta-admin user add', or add a line to .pgpass for it."
            )
        }
        if says("SSL", "TLS", "certificate") && !says("SSL connection has been closed", "SSL SYSCALL") {
            return (.tls, nil)
        }
        if says("No route to host", "Network is unreachable", "Connection timed out", "timeout expired") {
            return (.timedOut, nil)
        }
        if says("Permission denied") && says("connection to server") {
            return (
                .permission, "Let this user enter the folder of the server's socket, or give a host name as 'host'."
            )
        }
        if says("service", "invalid", "missing \"=\"") && operation == .connect { return (.settings, nil) }
        return (.connectionLost, nil)
    }
}

extension PostgresError.Reason {
    /// The reason for an error without a meaning of its own.
    fileprivate static func backupOrOther(_ operation: PostgresError.Operation) -> Self {
        operation == .backup || operation == .manifest ? .backupFailed : .other
    }
}
