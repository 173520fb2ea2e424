/// What plain and replication sessions share: opening, closing, and cancellation.
enum Session {
    /// Connects; at most as long as the settings allow, and as the task is not cancelled.
    static func open(
        _ settings: ConnectionSettings, isReplication: Bool
    ) async throws(PostgresError) -> Connection {
        let deadline = ContinuousClock.now + settings.connectTimeLimit
        let connection = try Connection.begin(settings, isReplication: isReplication)
        try await run(on: connection, .connect) { () throws(PostgresError) in
            try connection.finishConnecting(by: deadline)
        }
        return connection
    }

    /// Runs blocking work of a connection. When the task is cancelled it ends at once with `.cancelled`, and the connection is
    /// given up.
    static func run<Result>(
        on connection: Connection, _ operation: PostgresError.Operation,
        _ body: () throws(PostgresError) -> Result
    ) async throws(PostgresError) -> Result {
        let wakeup = connection.wakeup
        let outcome = await withTaskCancellationHandler {
            do throws(PostgresError) {
                return Swift.Result<Result, PostgresError>.success(try body())
            } catch {
                return .failure(error)
            }
        } onCancel: {
            wakeup.set()
        }
        if case .failure(let error) = outcome, isFatal(error) { connection.abandon() }
        return try outcome.get()
    }

    /// Whether a session cannot go on after an error: the protocol's state is unknown.
    static func isFatal(_ error: PostgresError) -> Bool {
        switch error.reason {
        case .cancelled, .timedOut, .protocol, .connectionLost: true
        default: error.operation == .connect
        }
    }
}
