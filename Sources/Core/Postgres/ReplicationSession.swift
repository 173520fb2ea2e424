import CLibpq

/// What a server says of itself to a replication client (`IDENTIFY_SYSTEM`).
package struct SystemIdentity: Sendable, Hashable {
    /// The cluster's number.
    package let systemIdentifier: SystemIdentifier
    /// The timeline it is on.
    package let timeline: Timeline
    /// How far its WAL is flushed.
    package let position: LSN
    /// The database of the session; nil, as physical replication has none.
    package let database: String?
}

/// A session for physical replication (PostgreSQL chapter "Streaming Replication Protocol"). One task uses it at a time; calls
/// may block the thread.
///
/// After `.cancelled`, `.timedOut` or `.connectionLost` it is closed, and every call fails.
package final class ReplicationSession: Sendable {
    let connection: Connection
    /// The server's version.
    package let serverVersion: ServerVersion

    private init(connection: Connection) {
        self.connection = connection
        serverVersion = unsafe ServerVersion(number: Int(PQserverVersion(connection.handle)))
    }

    /// Connects and logs in.
    package static func open(_ settings: ConnectionSettings) async throws(PostgresError) -> ReplicationSession {
        ReplicationSession(connection: try await Session.open(settings, isReplication: true))
    }

    /// The server in words.
    package var server: String { connection.server }

    /// Asks which cluster this is.
    package func identifySystem() async throws(PostgresError) -> SystemIdentity {
        let row = try await run("IDENTIFY_SYSTEM", .identify)
        guard let identifier = row.text(row: 0, column: 0).flatMap(SystemIdentifier.init(_:)),
            let timeline = row.text(row: 0, column: 1).flatMap(Timeline.init(_:)),
            let position = row.text(row: 0, column: 2).flatMap(LSN.init(_:))
        else { throw connection.error(.protocol, .identify) }
        return SystemIdentity(
            systemIdentifier: identifier, timeline: timeline, position: position,
            database: row.text(row: 0, column: 3))
    }

    /// The value of a setting, in the unit that `SHOW` chooses.
    /// - Parameter name: the setting's name; letters, digits and `_` only.
    package func show(_ name: String) async throws(PostgresError) -> String {
        guard let value = try await run("SHOW \(quoted(name))", .show).text(row: 0, column: 0) else {
            throw connection.error(.protocol, .show)
        }
        return value
    }

    /// The cluster's segment size.
    package func segmentSize() async throws(PostgresError) -> WALSegmentSize {
        let text = try await show("wal_segment_size")
        guard let size = WALSegmentSize(setting: text) else {
            throw connection.error(.protocol, .show, "wal_segment_size is '\(text)'")
        }
        return size
    }

    /// Makes a slot that ends with this session and keeps WAL from now on.
    /// - Parameter name: lower-case letters, digits and `_`, at most 63.
    package func createTemporaryPhysicalSlot(_ name: String) async throws(PostgresError) {
        let options = serverVersion.major >= 15 ? "(RESERVE_WAL)" : "RESERVE_WAL"
        _ = try await run("CREATE_REPLICATION_SLOT \(quoted(name)) TEMPORARY PHYSICAL \(options)", .createSlot)
    }

    /// Makes a slot that stays until it is dropped, and keeps WAL from now on.
    /// - Throws: `.slotInUse` when there is one of that name.
    package func createPhysicalSlot(_ name: String) async throws(PostgresError) {
        let options = serverVersion.major >= 15 ? "(RESERVE_WAL)" : "RESERVE_WAL"
        _ = try await run("CREATE_REPLICATION_SLOT \(quoted(name)) PHYSICAL \(options)", .createSlot)
    }

    /// Drops a slot.
    package func dropSlot(_ name: String) async throws(PostgresError) {
        let deadline = ContinuousClock.now + .seconds(60)
        _ = try await Session.run(on: connection, .createSlot) { () throws(PostgresError) in
            try connection.send("DROP_REPLICATION_SLOT \(quoted(name))", by: deadline, .createSlot)
            return try connection.finish(by: deadline, .createSlot) == nil
        }
    }

    /// The file that tells where a timeline came from. Timeline 1 has none.
    package func timelineHistory(
        _ timeline: Timeline
    ) async throws(PostgresError) -> (fileName: String, bytes: [UInt8]) {
        let row = try await run("TIMELINE_HISTORY \(timeline)", .timelineHistory)
        guard let name = row.text(row: 0, column: 0), let bytes = row.bytes(row: 0, column: 1) else {
            throw connection.error(.protocol, .timelineHistory)
        }
        return (name, bytes)
    }

    /// Ends the session, and with it its temporary slots.
    package func close() { connection.close() }

    /// A name as the replication commands take it, whatever characters it has.
    func quoted(_ name: String) -> String { "\"" + name.replacing("\"", with: "\"\"") + "\"" }

    /// Runs a command that gives one row.
    private func run(
        _ command: String, _ operation: PostgresError.Operation
    ) async throws(PostgresError) -> ServerResult {
        let deadline = ContinuousClock.now + .seconds(60)
        let connection = connection
        return try await Session.run(on: connection, operation) { () throws(PostgresError) in
            try connection.send(command, by: deadline, operation)
            guard let result = try connection.finish(by: deadline, operation) else {
                throw connection.error(.protocol, operation, "an answer is missing")
            }
            return result
        }
    }
}

extension WALSegmentSize {
    /// Reads what `SHOW wal_segment_size` gives, such as `16MB` or `1GB`.
    init?(setting: String) {
        let units = ["B": 1, "kB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30]
        let digits = setting.prefix(while: \.isNumber)
        guard let number = Int(digits), let unit = units[String(setting.dropFirst(digits.count))], number <= 1 << 30
        else { return nil }
        self.init(byteCount: number * unit)
    }
}
