extension PostgresError: CustomStringConvertible {
    /// What happened, in one lower-case line without a full stop; the native words stand in parentheses at its end.
    package var summary: String {
        let place = server.isEmpty ? "" : " '\(server)'"
        let native = [detail, sqlState.map { "SQLSTATE \($0)" }].compactMap { $0 }.joined(separator: ", ")
        return "cannot \(verb)\(place): \(cause)" + (native.isEmpty ? "" : " (\(native))")
    }

    /// The summary.
    package var description: String { summary }

    private var verb: String {
        switch operation {
        case .connect: "connect to"
        case .query: "ask"
        case .identify: "identify"
        case .show: "read a setting of"
        case .createSlot: "make a replication slot on"
        case .timelineHistory: "read the timeline history of"
        case .backup: "back up"
        case .manifest: "send the parent's manifest to"
        case .wal: "receive WAL from"
        case .check: "use"
        }
    }

    private var cause: String {
        switch reason {
        case .connectionRefused: "no server answers there"
        case .noSuchHost: "the host name is unknown"
        case .tls: "no secure connection could be made"
        case .settings: "the connection settings are wrong"
        case .authenticationFailed: "the server does not accept the user or the password"
        case .noSuchDatabase: "the database does not exist"
        case .permission: "a right is missing"
        case .serverStarting: "the server takes no sessions now"
        case .tooManyConnections: "all connections are taken"
        case .timedOut: "no answer came in time"
        case .connectionLost: "the connection was lost"
        case .walLevel: "the server writes too little WAL for backups"
        case .slotInUse: "the replication slot is taken"
        case .noSlots: "the server has no replication slot to spare"
        case .walGone: "the server has removed WAL that is needed"
        case .summariesMissing: "the server has no WAL summaries since the parent backup"
        case .parentUnfit: "the parent backup is not of this server's history"
        case .damagedPages: "the server found damaged pages"
        case .backupFailed: "the server gave up the backup"
        case .unsupportedVersion: "its version is too old"
        case .protocol: "it gave an answer that PostgreSQL does not give"
        case .cancelled: "cancelled"
        case .other: "the server reported an error"
        }
    }

    /// The remedy that fits every case of the reason.
    var standardRemedy: String {
        switch reason {
        case .connectionRefused:
            "Check that PostgreSQL runs there, that 'host' and 'port' are right, and that its 'listen_addresses' has the address."
        case .noSuchHost: "Check 'host'; 'getent hosts NAME' shows whether this machine knows the name."
        case .tls: "Check 'sslmode' and the certificate files, and that the server has 'ssl = on'."
        case .settings: "Check the connection settings of this server in the configuration."
        case .authenticationFailed:
            "Set the password with 'pgmoneta-admin user add', or in .pgpass; check it with 'psql -h HOST -U USER'."
        case .noSuchDatabase: "Check 'dbname'; 'postgres' exists unless it was dropped."
        case .permission: "Run as a superuser: ALTER ROLE USER REPLICATION;"
        case .serverStarting: "Wait until 'pg_isready -h HOST' says that connections are accepted."
        case .tooManyConnections: "Wait, or raise 'max_connections' and 'max_wal_senders', and restart the server."
        case .timedOut: "Check the network to the server, and that it is not overloaded; then run the command again."
        case .connectionLost: "Look into the server's log for the cause; then run the command again."
        case .walLevel:
            "Run: ALTER SYSTEM SET wal_level = 'replica'; ALTER SYSTEM SET max_wal_senders = 10; then restart the server."
        case .slotInUse: "See who uses it: SELECT slot_name, active_pid FROM pg_replication_slots;"
        case .noSlots:
            "Run: ALTER SYSTEM SET max_replication_slots = 20; then restart the server; "
                + "'SELECT * FROM pg_replication_slots;' shows who uses them."
        case .walGone:
            "Run the command again; if that fails too, raise 'max_slot_wal_keep_size' and 'wal_keep_size' on the server."
        case .summariesMissing:
            "Run: ALTER SYSTEM SET summarize_wal = on; SELECT pg_reload_conf(); then take a full backup first."
        case .parentUnfit: "Take a full backup; the server was restored or promoted since the parent was taken."
        case .damagedPages:
            "Look into the server's log for the files; check them with 'pg_amcheck', and keep older backups."
        case .backupFailed: "Look into the server's log for the cause; then run the command again."
        case .unsupportedVersion: "Upgrade the server to PostgreSQL \(ServerVersion.oldestSupportedMajor) or newer."
        case .protocol: "Connect to PostgreSQL itself, not to a pooler; 'SHOW server_version;' shows what answers."
        case .cancelled: "Run the command again."
        case .other: "Look up the error code in the PostgreSQL manual, and look into the server's log."
        }
    }
}
