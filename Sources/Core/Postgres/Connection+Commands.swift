import CLibpq
import Glibc

extension Connection {
    /// Sends a command in the simple protocol, which replication sessions need.
    func send(
        _ command: String, by deadline: ContinuousClock.Instant, _ operation: PostgresError.Operation
    ) throws(PostgresError) {
        if wakeup.isSet { throw error(.cancelled, operation) }
        guard unsafe PQsendQuery(handle, command) == 1 else { throw failure(operation) }
        try flush(by: deadline, operation)
    }

    /// Sends one SQL statement with its parameters, as text.
    func send(
        _ statement: String, parameters: [String?], by deadline: ContinuousClock.Instant
    ) throws(PostgresError) {
        if wakeup.isSet { throw error(.cancelled, .query) }
        let isSent = unsafe withCStrings(parameters) { values in
            unsafe PQsendQueryParams(handle, statement, Int32(parameters.count), nil, values, nil, nil, 0) == 1
        }
        guard isSent else { throw failure(.query) }
        try flush(by: deadline, .query)
    }

    /// Sends one SQL statement of a pipeline, whose values are to come in binary, and all that is to be known of its end.
    func sendInPipeline(
        _ statement: String, parameters: [String?], by deadline: ContinuousClock.Instant
    ) throws(PostgresError) {
        if wakeup.isSet { throw error(.cancelled, .query) }
        let isSent = unsafe withCStrings(parameters) { values in
            unsafe PQsendQueryParams(handle, statement, Int32(parameters.count), nil, values, nil, nil, 1) == 1
        }
        guard isSent, unsafe PQpipelineSync(handle) == 1 else { throw failure(.query) }
        try flush(by: deadline, .query)
    }

    /// Waits for the rows of the oldest statement in the pipeline, and for its end.
    func nextInPipeline(by deadline: ContinuousClock.Instant) throws(PostgresError) -> ServerResult {
        let rows = try expect(PGRES_TUPLES_OK, by: deadline, .query)
        guard try nextResult(by: deadline, .query) == nil else { throw error(.protocol, .query, "a second result") }
        _ = try expect(PGRES_PIPELINE_SYNC, by: deadline, .query)
        return rows
    }

    /// Waits for the next result of the command; nil when there are no more.
    /// - Throws: `.timedOut`, `.cancelled`. A result that is an error is returned.
    func nextResult(
        by deadline: ContinuousClock.Instant, _ operation: PostgresError.Operation
    ) throws(PostgresError) -> ServerResult? {
        while unsafe PQisBusy(handle) == 1 {
            guard try awaitInput(by: deadline, operation) == .ready else { throw error(.timedOut, operation) }
        }
        guard let result = unsafe PQgetResult(handle) else { return nil }
        return unsafe ServerResult(owning: result)
    }

    /// Waits for the next result, which must be of a kind.
    /// - Throws: the server's error, `.protocol` for another kind.
    func expect(
        _ status: ExecStatusType, by deadline: ContinuousClock.Instant, _ operation: PostgresError.Operation
    ) throws(PostgresError) -> ServerResult {
        guard let result = try nextResult(by: deadline, operation) else {
            throw error(.protocol, operation, "an answer is missing")
        }
        if result.isError { throw serverError(result, operation) }
        guard result.status == status else {
            throw error(.protocol, operation, "result status \(result.status.rawValue), not \(status.rawValue)")
        }
        return result
    }

    /// Runs a command to its end.
    /// - Returns: the last result with rows; nil when the command gives none.
    /// - Throws: the first error; the session can go on after an error of the server.
    func finish(
        by deadline: ContinuousClock.Instant, _ operation: PostgresError.Operation
    ) throws(PostgresError) -> ServerResult? {
        var rows: ServerResult?
        var firstError: PostgresError?
        while let result = try nextResult(by: deadline, operation) {
            if result.isError { firstError = firstError ?? serverError(result, operation) }
            if result.status == PGRES_TUPLES_OK { rows = result }
            if result.status == PGRES_COPY_IN || result.status == PGRES_COPY_OUT || result.status == PGRES_COPY_BOTH {
                throw error(.protocol, operation, "an unexpected copy")
            }
        }
        if let firstError { throw firstError }
        return rows
    }

    /// The error that a result reports.
    func serverError(_ result: ServerResult, _ operation: PostgresError.Operation) -> PostgresError {
        let message = result.message
        // Without a code it is libpq that speaks, about the connection.
        return message.error(operation, server: server, user: user)
    }

    /// Asks the server to give up the running command, takes in for a moment what was under way, and closes.
    ///
    /// A server that does not answer holds it up for a second. It is not asked when the connection is known to be dead.
    func abandon() {
        defer { close() }
        guard let handle = unsafe handle, unsafe PQstatus(handle) == CONNECTION_OK else { return }
        guard unsafe PQtransactionStatus(handle) == PQTRANS_ACTIVE, let request = unsafe CancelRequest(handle) else {
            return
        }
        if request.send(timeLimit: .seconds(1)) { drain(by: .now + .milliseconds(500)) }
    }

    /// Throws away what the server still sends for the running command.
    private func drain(by deadline: ContinuousClock.Instant) {
        while true {
            var buffer: UnsafeMutablePointer<CChar>?
            let count = unsafe PQgetCopyData(handle, &buffer, 1)
            if count > 0 {
                unsafe PQfreemem(buffer)
                continue
            }
            if count < 0 {
                if unsafe PQisBusy(handle) == 0 {
                    guard let result = unsafe PQgetResult(handle) else { return }
                    let status = unsafe PQresultStatus(result)
                    unsafe PQclear(result)
                    // A server that waits for our bytes says so again and again, and has nothing else to say.
                    if status == PGRES_COPY_IN { return }
                    continue
                }
            }
            let readiness = try? wait(Int32(POLLIN), by: deadline, .query, isFinal: true)
            guard readiness == .ready, unsafe PQconsumeInput(handle) == 1 else { return }
        }
    }
}
