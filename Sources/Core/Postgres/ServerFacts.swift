/// What matters for backups of a server and of the role that takes them.
package struct ServerFacts: Sendable, Hashable {
    /// The server in words.
    package var server: String
    /// The role.
    package var user: String
    /// The server's version.
    package var version: ServerVersion
    /// The cluster's number.
    package var systemIdentifier: SystemIdentifier
    /// `minimal`, `replica` or `logical`.
    package var walLevel: String
    /// How many WAL senders there may be.
    package var maximumWALSenders: Int
    /// How many WAL senders are there now.
    package var usedWALSenders: Int
    /// Whether the role may use replication.
    package var canReplicate: Bool
    /// Whether data pages have checksums.
    package var hasDataChecksums: Bool
    /// The size of WAL segments.
    package var segmentSize: WALSegmentSize
    /// Bytes in a data page.
    package var blockByteCount: Int
    /// Whether it is a standby, or still recovers.
    package var isInRecovery: Bool
    /// Whether the server summarizes WAL for incremental backups; nil before version 17.
    package var summarizesWAL: Bool?
}

extension ServerFacts {
    /// What stands in the way of a backup, most fundamental first; empty when nothing does.
    /// - Parameters:
    ///   - incremental: whether the server itself is to make an incremental backup.
    ///   - neededWALSenders: replication sessions that the backup will open.
    package func obstacles(incremental: Bool, neededWALSenders: Int = 2) -> [PostgresError] {
        var obstacles: [PostgresError] = []
        func add(_ reason: PostgresError.Reason, _ detail: String, remedy: String? = nil) {
            obstacles.append(PostgresError(reason, .check, server: server, detail: detail, remedy: remedy))
        }
        if !version.isSupported { add(.unsupportedVersion, "PostgreSQL \(version)") }
        if walLevel == "minimal" { add(.walLevel, "wal_level is 'minimal'") }
        if maximumWALSenders == 0 { add(.walLevel, "max_wal_senders is 0") }
        if !canReplicate {
            add(
                .permission, "role '\(user)' has no REPLICATION attribute",
                remedy: "Run as a superuser: ALTER ROLE \"\(user)\" REPLICATION;")
        }
        if maximumWALSenders > 0, maximumWALSenders - usedWALSenders < neededWALSenders {
            add(
                .tooManyConnections, "\(usedWALSenders) of \(maximumWALSenders) WAL senders are in use",
                remedy: "Run: ALTER SYSTEM SET max_wal_senders = \(maximumWALSenders + 10); then restart the server.")
        }
        if incremental, version.hasIncrementalBackup, summarizesWAL != true {
            add(.summariesMissing, "summarize_wal is off")
        }
        return obstacles
    }
}

extension PostgresSession {
    /// Reads what matters for backups. It needs no rights.
    package func facts() async throws(PostgresError) -> ServerFacts {
        // Settings by pg_settings, because SHOW chooses units; names are qualified against a hostile search_path.
        let statement = """
            SELECT s.name, s.setting FROM pg_catalog.pg_settings s WHERE s.name IN ('wal_level', 'max_wal_senders',
              'data_checksums', 'wal_segment_size', 'block_size', 'summarize_wal')
            UNION ALL SELECT 'user', current_user::pg_catalog.text
            UNION ALL SELECT 'system', system_identifier::pg_catalog.text FROM pg_catalog.pg_control_system()
            UNION ALL SELECT 'recovery', pg_catalog.pg_is_in_recovery()::pg_catalog.text
            UNION ALL SELECT 'senders', pg_catalog.count(*)::pg_catalog.text FROM pg_catalog.pg_stat_get_wal_senders()
            UNION ALL SELECT 'replication', (rolreplication OR rolsuper)::pg_catalog.text FROM pg_catalog.pg_roles
              WHERE rolname = current_user
            """
        var values: [String: String] = [:]
        for row in try await query(statement) where row.count == 2 {
            if let name = row[0] { values[name] = row[1] }
        }
        guard let system = values["system"].flatMap(SystemIdentifier.init(_:)),
            let segmentSize = values["wal_segment_size"].flatMap({ Int($0) }).flatMap(WALSegmentSize.init(byteCount:)),
            let blockByteCount = values["block_size"].flatMap({ Int($0) }), let walLevel = values["wal_level"]
        else { throw PostgresError(.protocol, .check, server: server, detail: "a setting is missing") }
        return ServerFacts(
            server: server, user: values["user"] ?? "", version: serverVersion, systemIdentifier: system,
            walLevel: walLevel, maximumWALSenders: values["max_wal_senders"].flatMap { Int($0) } ?? 0,
            usedWALSenders: values["senders"].flatMap { Int($0) } ?? 0, canReplicate: values["replication"] == "true",
            hasDataChecksums: values["data_checksums"] == "on", segmentSize: segmentSize,
            blockByteCount: blockByteCount, isInRecovery: values["recovery"] == "true",
            summarizesWAL: values["summarize_wal"].map { $0 == "on" })
    }

    /// Reads what matters for backups, and makes sure that nothing stands in the way of one.
    /// - Throws: the most fundamental obstacle, with its remedy.
    package func preflight(
        incremental: Bool, neededWALSenders: Int = 2
    ) async throws(PostgresError) -> ServerFacts {
        guard serverVersion.isSupported else {
            throw PostgresError(.unsupportedVersion, .check, server: server, detail: "PostgreSQL \(serverVersion)")
        }
        let facts = try await facts()
        let obstacles = facts.obstacles(incremental: incremental, neededWALSenders: neededWALSenders)
        if let first = obstacles.first { throw first }
        return facts
    }
}
