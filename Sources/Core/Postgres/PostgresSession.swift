import CLibpq

/// A session for SQL. One task uses it at a time; calls may block the thread.
///
/// After `.cancelled`, `.timedOut` or `.connectionLost` it is closed, and every call fails.
package final class PostgresSession: Sendable {
    private let connection: Connection
    /// The server's version.
    package let serverVersion: ServerVersion

    private init(connection: Connection) {
        self.connection = connection
        serverVersion = unsafe ServerVersion(number: Int(PQserverVersion(connection.handle)))
    }

    /// Connects and logs in. Time limits that the role or the database sets for sessions are lifted, because a backup may
    /// take longer.
    package static func open(_ settings: ConnectionSettings) async throws(PostgresError) -> PostgresSession {
        let session = PostgresSession(connection: try await Session.open(settings, isReplication: false))
        var limits = ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"]
        if session.serverVersion.major >= 14 { limits.append("idle_session_timeout") }
        for name in limits {
            _ = try await session.query("SET \(name) = 0")
        }
        return session
    }

    /// The server in words.
    package var server: String { connection.server }

    /// Runs one SQL statement.
    /// - Parameters:
    ///   - parameters: values for `$1` and so on, as text.
    ///   - timeLimit: when nothing has come until then, the statement is cancelled and the session closed.
    /// - Returns: the rows; NULL as nil. All are kept in memory: not for large results.
    package func query(
        _ statement: String, _ parameters: [String?] = [], timeLimit: Duration = .seconds(60)
    ) async throws(PostgresError) -> [[String?]] {
        let deadline = ContinuousClock.now + timeLimit
        return try await Session.run(on: connection, .query) { () throws(PostgresError) in
            try connection.send(statement, parameters: parameters, by: deadline)
            return try connection.finish(by: deadline, .query)?.rows ?? []
        }
    }

    /// The value of a setting as `SHOW` gives it.
    package func parameter(_ name: String) async throws(PostgresError) -> String {
        let rows = try await query("SELECT pg_catalog.current_setting($1)", [name])
        guard let value = rows.first?.first ?? nil else {
            throw connection.error(.protocol, .show, "'\(name)' has no value")
        }
        return value
    }

    /// From where on a replication slot keeps WAL.
    /// - Returns: nil when there is no such slot, or when it keeps nothing yet.
    package func slotPosition(_ name: String) async throws(PostgresError) -> LSN? {
        let rows = try await query(
            "SELECT restart_lsn FROM pg_catalog.pg_replication_slots WHERE slot_name = $1", [name])
        return (rows.first?.first ?? nil).flatMap { LSN($0) }
    }

    /// Gives the connection to another kind of session; this one is not used any more.
    func takeConnection() -> Connection { connection }

    /// Ends the session.
    package func close() { connection.close() }
}
