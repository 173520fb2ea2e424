/// A file or folder below a server's data directory.
package struct ServerFile: Sendable, Hashable {
    /// From the data directory on, such as `base/5/1259`; what is in a tablespace begins with `pg_tblspc/<oid>/`.
    package var path: String
    package var isFolder: Bool
    /// Bytes of a file.
    package var byteCount: Int
    /// Seconds since 1970.
    package var modifiedAt: Int

    package init(path: String, isFolder: Bool, byteCount: Int, modifiedAt: Int) {
        self.path = path
        self.isFolder = isFolder
        self.byteCount = byteCount
        self.modifiedAt = modifiedAt
    }
}

/// One of several servers that an address may lead to.
package struct ServerInstance: Sendable, Hashable {
    package let systemIdentifier: SystemIdentifier
    /// When it was started, in the server's words.
    package let startedAt: String
    package let isInRecovery: Bool
}

/// How a backup ended that PostgreSQL was told about while somebody else read its files (documentation, "Making a Base Backup
/// Using the Low Level API").
package struct OnlineBackupEnd: Sendable, Hashable {
    /// Recovery must reach this position before the cluster is consistent.
    package let endLSN: LSN
    /// What is to be in the file `backup_label`.
    package let label: String
}

extension PostgresSession {
    /// The functions through which files of the server are listed and read and a backup is begun and ended, as `GRANT` names
    /// them. Only a superuser may use them without being granted.
    package static func fileFunctions(majorVersion: Int) -> [String] {
        let backup =
            majorVersion >= 15
            ? ["pg_backup_start(text, boolean)", "pg_backup_stop(boolean)"]
            : ["pg_start_backup(text, boolean, boolean)", "pg_stop_backup(boolean, boolean)"]
        return
            (backup + [
                "pg_ls_dir(text, boolean, boolean)", "pg_stat_file(text, boolean)",
                "pg_read_binary_file(text, bigint, bigint, boolean)",
            ]).map { "pg_catalog." + $0 }
    }

    /// Makes sure that the role may list and read the server's files and begin a backup.
    /// - Throws: `.permission`, with the statements that give the rights.
    package func requireFileFunctions() async throws(PostgresError) {
        let functions = Self.fileFunctions(majorVersion: serverVersion.major)
        let list = functions.map { "('\($0)')" }.joined(separator: ", ")
        let rows = try await query(
            "SELECT current_user, f FROM (VALUES \(list)) v(f) WHERE NOT pg_catalog.has_function_privilege(f, 'EXECUTE')"
        )
        let missing = rows.compactMap { $0.count == 2 ? $0[1] : nil }
        guard !missing.isEmpty else { return }
        let role = "\"" + ((rows.first?.first ?? nil) ?? "").replacing("\"", with: "\"\"") + "\""
        let grants = missing.map { "GRANT EXECUTE ON FUNCTION \($0) TO \(role);" }.joined(separator: " ")
        throw PostgresError(
            .permission, .check, server: server,
            detail: "role \(role) may not execute \(missing.joined(separator: ", "))",
            remedy: "Run as a superuser in the database that pgmoneta connects to: \(grants)")
    }

    /// Which server this is.
    package func instance() async throws(PostgresError) -> ServerInstance {
        let rows = try await query(
            "SELECT system_identifier, pg_catalog.pg_postmaster_start_time(), pg_catalog.pg_is_in_recovery() FROM pg_catalog.pg_control_system()"
        )
        guard let row = rows.first, row.count == 3, let identifier = row[0].flatMap({ SystemIdentifier($0) }),
            let startedAt = row[1]
        else { throw malformed(.query) }
        return ServerInstance(systemIdentifier: identifier, startedAt: startedAt, isInRecovery: row[2] == "t")
    }

    /// Begins a backup: the server makes a checkpoint at once, and from here on its WAL has whole pages.
    /// - Returns: where recovery begins to read WAL.
    package func startOnlineBackup(label: String, timeLimit: Duration) async throws(PostgresError) -> LSN {
        let call =
            serverVersion.major >= 15
            ? "pg_catalog.pg_backup_start($1, true)" : "pg_catalog.pg_start_backup($1, true, false)"
        let rows = try await query("SELECT \(call)", [label], timeLimit: timeLimit)
        guard let start = (rows.first?.first ?? nil).flatMap({ LSN($0) }) else { throw malformed(.backup) }
        return start
    }

    /// How far the log is safe on the server's disk; on a standby, how far it was replayed.
    package func endOfLog() async throws(PostgresError) -> LSN {
        let rows = try await query(
            """
            SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
            ELSE pg_catalog.pg_current_wal_flush_lsn() END
            """)
        guard let end = (rows.first?.first ?? nil).flatMap({ LSN($0) }) else { throw malformed(.query) }
        return end
    }

    /// Ends the backup that this session began. It does not wait for the server's archiver.
    package func stopOnlineBackup() async throws(PostgresError) -> OnlineBackupEnd {
        let call =
            serverVersion.major >= 15
            ? "pg_catalog.pg_backup_stop(false)" : "pg_catalog.pg_stop_backup(false, false)"
        let rows = try await query("SELECT lsn, labelfile FROM \(call)", timeLimit: .seconds(3600))
        guard let row = rows.first, row.count == 2, let end = row[0].flatMap({ LSN($0) }), let label = row[1] else {
            throw malformed(.backup)
        }
        return OnlineBackupEnd(endLSN: end, label: label)
    }

    /// The tablespaces beside the standard ones that have a folder, with that folder; it is relative for one in the data directory.
    package func tablespaces() async throws(PostgresError) -> [BaseBackupTablespace] {
        // By their folders: one whose transaction has not ended yet is not in the catalog.
        let statement = """
            SELECT name, pg_catalog.pg_tablespace_location(name::pg_catalog.oid)
            FROM pg_catalog.pg_ls_dir('pg_tblspc', true, false) AS n (name) WHERE name ~ '^[0-9]+$' ORDER BY name::pg_catalog.oid
            """
        return try await query(statement).compactMap { row in
            guard row.count == 2, let oid = row[0], let location = row[1] else { return nil }
            return BaseBackupTablespace(oid: oid, location: location, sizeInKilobytes: nil)
        }
    }

    /// The name of the folder that this version has in each tablespace, such as `PG_14_202107181`.
    package func tablespaceVersionFolder() async throws(PostgresError) -> String {
        let rows = try await query("SELECT catalog_version_no FROM pg_catalog.pg_control_system()")
        guard let number = rows.first?.first ?? nil else { throw malformed(.query) }
        return "PG_\(serverVersion.major)_\(number)"
    }

    /// Lists all that is below the data directory, folders before what is in them. What vanishes meanwhile is left out.
    /// - Parameters:
    ///   - closed: folders that are named, but not looked into.
    ///   - versionFolder: the only folder of a tablespace that is looked into.
    package func files(closed: [String], versionFolder: String) async throws(PostgresError) -> [ServerFile] {
        let statement = """
            WITH RECURSIVE tree (path, isdir, size, modified) AS (
              SELECT pg_catalog.text '', true, 0::pg_catalog.int8, 0::pg_catalog.int8
              UNION ALL
              SELECT p.path, s.isdir, s.size, pg_catalog.floor(EXTRACT(epoch FROM s.modification))::pg_catalog.int8
              FROM tree t,
                LATERAL pg_catalog.pg_ls_dir(CASE t.path WHEN '' THEN '.' ELSE t.path END, true, false) AS n (name),
                LATERAL (SELECT CASE t.path WHEN '' THEN n.name ELSE t.path || '/' || n.name END AS path) p,
                LATERAL pg_catalog.pg_stat_file(p.path, true) s
              WHERE t.isdir AND t.path <> ALL ($1::pg_catalog.text[])
                AND (pg_catalog.split_part(t.path, '/', 1) <> 'pg_tblspc' OR pg_catalog.split_part(t.path, '/', 3) IN ('', $2))
            )
            SELECT path, isdir, size, modified FROM tree WHERE path <> '' AND isdir IS NOT NULL ORDER BY path COLLATE "C"
            """
        return try await query(statement, [Self.array(closed), versionFolder], timeLimit: .seconds(3600)).compactMap {
            row in
            guard row.count == 4, let path = row[0], let size = row[2].flatMap({ Int($0) }),
                let modified = row[3].flatMap({ Int($0) })
            else { return nil }
            // A file system holds neither larger files nor other times; sums of these stay numbers.
            return ServerFile(
                path: path, isFolder: row[1] == "t", byteCount: min(max(0, size), 1 << 44),
                modifiedAt: min(max(0, modified), 1 << 36))
        }
    }

    private func malformed(_ operation: PostgresError.Operation) -> PostgresError {
        PostgresError(.protocol, operation, server: server, detail: "a value is missing")
    }

    /// Texts as the server reads an array.
    static func array(_ texts: [String]) -> String {
        let items = texts.map { "\"" + $0.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\"" }
        return "{" + items.joined(separator: ",") + "}"
    }
}
