import CLibpq

/// A stretch of a file of the server.
package struct ServerFileRange: Sendable, Hashable {
    /// From the data directory on.
    package var path: String
    package var offset: Int
    package var byteCount: Int

    package init(path: String, offset: Int, byteCount: Int) {
        self.path = path
        self.offset = offset
        self.byteCount = byteCount
    }
}

/// A session that reads files of the server through `pg_read_binary_file`, with several requests on their way at a time
/// (PostgreSQL chapter "libpq Pipeline Mode"). One task uses it at a time; calls may block the thread.
package final class ServerFileReader: Sendable {
    /// Limit for silence of the server.
    private static let silenceLimit: Duration = .seconds(300)
    private static let statement = """
        SELECT r.n, pg_catalog.pg_read_binary_file(r.path, r.start, r.length, true)
        FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.int8[]),
          pg_catalog.unnest($3::pg_catalog.int8[])) WITH ORDINALITY AS r (path, start, length, n)
        """
    private let connection: Connection

    private init(connection: Connection) { self.connection = connection }

    /// Connects and logs in.
    /// - Throws: `.other` when the address leads to another server than `instance`.
    package static func open(
        _ settings: ConnectionSettings, of instance: ServerInstance
    ) async throws(PostgresError) -> ServerFileReader {
        let session = try await PostgresSession.open(settings)
        guard try await session.instance() == instance else {
            session.close()
            throw PostgresError(
                .other, .check, server: session.server, detail: "sessions of one backup came to different servers",
                remedy: "Give 'host' the address of one server, not of several.")
        }
        let connection = session.takeConnection()
        guard unsafe PQenterPipelineMode(connection.handle) == 1 else {
            throw connection.error(.protocol, .query, "no pipeline")
        }
        return ServerFileReader(connection: connection)
    }

    /// Asks for stretches of files. `receive` gives them; it is to be called once for each request.
    package func request(_ ranges: [ServerFileRange]) async throws(PostgresError) {
        let deadline = ContinuousClock.now + Self.silenceLimit
        let parameters = [
            PostgresSession.array(ranges.map(\.path)), "{\(ranges.map { "\($0.offset)" }.joined(separator: ","))}",
            "{\(ranges.map { "\($0.byteCount)" }.joined(separator: ","))}",
        ]
        try await Session.run(on: connection, .query) { () throws(PostgresError) in
            try connection.sendInPipeline(Self.statement, parameters: parameters, by: deadline)
        }
    }

    /// Waits for the oldest request that was not received yet.
    /// - Returns: its stretches, in their order.
    /// - Throws: `PostgresError`; the session is of no use then.
    package func receive(count: Int) async throws(PostgresError) -> ServerFileBytes {
        let deadline = ContinuousClock.now + Self.silenceLimit
        let result = try await Session.run(on: connection, .query) { () throws(PostgresError) in
            try connection.nextInPipeline(by: deadline)
        }
        let bytes = ServerFileBytes(result: result)
        guard bytes.count == count, bytes.isInOrder else { throw connection.error(.protocol, .query, "other rows") }
        return bytes
    }

    /// Ends the session.
    package func close() { connection.close() }
}

/// Stretches of files that came. One task uses it.
package struct ServerFileBytes {
    private let result: ServerResult

    init(result: ServerResult) { self.result = result }

    /// How many stretches.
    var count: Int { result.rowCount }

    /// Whether they are those that were asked for, in that order.
    var isInOrder: Bool {
        (0..<count).allSatisfy { row in
            result.bytes(row: Int32(clamping: row), column: 0) == Self.bigEndian(Int64(row + 1))
        }
    }

    /// Whether there is the file of a stretch.
    package func isThere(_ index: Int) -> Bool { unsafe result.buffer(row: index, column: 1) != nil }

    /// Calls `body` with the bytes of a stretch, which are fewer than asked for where the file ends, and none where there is no
    /// such file.
    package func withBytes(_ index: Int, _ body: (RawSpan) async throws -> Void) async throws {
        let buffer = unsafe result.buffer(row: index, column: 1) ?? UnsafeRawBufferPointer(start: nil, count: 0)
        // Sound: the result lives until this call has returned.
        try await body(unsafe buffer.bytes)
    }

    private static func bigEndian(_ number: Int64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * $0)) }
    }
}
