import CLibpq
import Glibc

/// A libpq connection that never waits without a limit: every wait is a `poll` with a deadline that cancellation ends.
///
/// Unchecked, because the session that owns it is used by one task at a time; only `wakeup` is touched by others.
@safe final class Connection: @unchecked Sendable {
    /// What ended a wait.
    enum Readiness {
        case ready, timedOut, woken
    }

    /// Set by the cancellation of the task that uses the session; the session is of no use afterwards.
    let wakeup = Wakeup()
    /// The server in words.
    private(set) var server: String
    /// The role, once known.
    private(set) var user: String?
    /// libpq's object, nil when closed.
    @unsafe private(set) var handle: OpaquePointer?
    /// Whether nothing more can be read from the socket. What was read before is still worth parsing.
    private var isInputOver = false

    private init(handle: OpaquePointer, settings: ConnectionSettings) {
        unsafe self.handle = handle
        server = settings.displayName
        user = settings.user
        if settings.host == nil, let host = unsafe PQhost(handle), let port = unsafe PQport(handle) {
            server = unsafe "\(String(cString: host)):\(String(cString: port))"
        }
        if let name = unsafe PQuser(handle) { user = unsafe String(cString: name) }
    }

    deinit { close() }

    /// Begins to connect; `finishConnecting` does the rest.
    static func begin(_ settings: ConnectionSettings, isReplication: Bool) throws(PostgresError) -> Connection {
        let parameters = settings.parameters(isReplication: isReplication)
        let handle = unsafe withCStrings(parameters.map(\.keyword)) { keywords in
            unsafe withCStrings(parameters.map(\.value)) { values in unsafe PQconnectStartParams(keywords, values, 0) }
        }
        guard let handle = unsafe handle else {
            throw PostgresError(.other, .connect, server: settings.displayName, detail: "out of memory")
        }
        // With the code of each error in its words, they need not be understood.
        unsafe PQsetErrorVerbosity(handle, PQERRORS_VERBOSE)
        unsafe PQsetNoticeReceiver(handle, { _, _ in }, nil)
        return unsafe Connection(handle: handle, settings: settings)
    }

    /// Connects and logs in (PostgreSQL chapter "libpq: Database Connection Control Functions", `PQconnectPoll`).
    func finishConnecting(by deadline: ContinuousClock.Instant) throws(PostgresError) {
        guard unsafe PQstatus(handle) != CONNECTION_BAD else { throw failure(.connect) }
        var events = Int32(POLLOUT)
        while true {
            guard try wait(events, by: deadline, .connect) == .ready else { throw error(.timedOut, .connect) }
            switch unsafe PQconnectPoll(handle) {
            case PGRES_POLLING_READING: events = Int32(POLLIN)
            case PGRES_POLLING_WRITING: events = Int32(POLLOUT)
            case PGRES_POLLING_OK:
                unsafe PQsetnonblocking(handle, 1)
                return
            default: throw failure(.connect)
            }
        }
    }

    /// Waits until the socket can be read or written.
    /// - Parameters:
    ///   - events: of `POLLIN` and `POLLOUT`.
    ///   - descriptor: another one that ends the wait when it can be read.
    ///   - isFinal: whether a cancelled task still waits, to end the session in good order.
    /// - Throws: `.cancelled`.
    func wait(
        _ events: Int32, by deadline: ContinuousClock.Instant, or descriptor: Int32 = -1,
        _ operation: PostgresError.Operation, isFinal: Bool = false
    ) throws(PostgresError) -> Readiness {
        while true {
            if wakeup.isSet && !isFinal { throw error(.cancelled, operation) }
            let left = deadline - .now
            guard left > .zero else { return .timedOut }
            var watched = [
                pollfd(fd: unsafe PQsocket(handle), events: Int16(events), revents: 0),
                pollfd(fd: isFinal ? -1 : wakeup.descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
            ]
            // A second at most, in case the descriptors of `wakeup` could not be made.
            let milliseconds = Int32(min(1000, left / .milliseconds(1) + 1))
            guard unsafe poll(&watched, 3, milliseconds) > 0 else { continue }
            if watched[0].revents != 0 { return .ready }
            if watched[2].revents != 0 { return .woken }
        }
    }

    /// Takes in what the socket has.
    func consumeInput() {
        if unsafe PQconsumeInput(handle) == 0 { isInputOver = true }
    }

    /// Waits for input and takes it in.
    /// - Throws: `.connectionLost` when none can come any more, `.cancelled`.
    func awaitInput(
        by deadline: ContinuousClock.Instant, or descriptor: Int32 = -1, _ operation: PostgresError.Operation
    ) throws(PostgresError) -> Readiness {
        guard !isInputOver else { throw failure(operation) }
        let readiness = try wait(Int32(POLLIN), by: deadline, or: descriptor, operation)
        if readiness == .ready { consumeInput() }
        return readiness
    }

    /// Sends what libpq has buffered.
    func flush(by deadline: ContinuousClock.Instant, _ operation: PostgresError.Operation) throws(PostgresError) {
        while true {
            let left = unsafe PQflush(handle)
            if left == 0 { return }
            guard left > 0 else { throw failure(operation) }
            let readiness = try wait(Int32(POLLIN | POLLOUT), by: deadline, operation)
            guard readiness == .ready else { throw error(.timedOut, operation) }
            // The server may not read on before its own output was taken.
            consumeInput()
        }
    }

    /// Ends the connection without waiting.
    func close() {
        if let handle = unsafe handle { unsafe PQfinish(handle) }
        unsafe handle = nil
    }

    /// Makes an error about this server.
    func error(
        _ reason: PostgresError.Reason, _ operation: PostgresError.Operation, _ detail: String? = nil
    ) -> PostgresError {
        PostgresError(reason, operation, server: server, detail: detail)
    }

    /// Makes the error for what libpq has noticed, or for what the server sent last before it went.
    func failure(_ operation: PostgresError.Operation) -> PostgresError {
        guard unsafe handle != nil else { return error(.connectionLost, operation, "the session was closed") }
        if operation != .connect, let result = unsafe PQgetResult(handle) {
            let last = unsafe ServerResult(owning: result)
            if last.isError { return last.message.error(operation, server: server, user: user) }
        }
        let message = unsafe ServerMessage(verbose: String(cString: PQerrorMessage(handle)))
        return message.error(operation, server: server, user: user)
    }
}
