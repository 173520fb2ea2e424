import CLibpq

extension ReplicationSession {
    /// Receives WAL and gives it to `receiver` as it comes, until `stop` says so.
    ///
    /// The server hears how far we are every ten seconds, also while `receiver` waits, and when it asks. Afterwards the session can
    /// be used again, unless an error was thrown.
    /// - Parameters:
    ///   - start: the first byte's position, usually a segment's beginning.
    ///   - slot: the replication slot that keeps the WAL; nil for none.
    ///   - statusInterval: how often the server hears how far we are.
    ///   - silenceLimit: when a server that says nothing is given up; it is asked for an answer at half the time.
    /// - Throws: `PostgresError`, or what the receiver threw; the session is closed then.
    package func streamWAL(
        from start: LSN, timeline: Timeline, slot: String? = nil, to receiver: any WALReceiver, stop: WALStop,
        statusInterval: Duration = .seconds(10), silenceLimit: Duration = .seconds(60)
    ) async throws -> WALStreamEnd {
        let size = try await segmentSize()
        // Version 14 streams only to those who have asked it who it is.
        _ = try await identifySystem()
        let slotClause = slot.map { "SLOT \(quoted($0)) " } ?? ""
        let keeper = WALStatusKeeper(connection)
        async let _ = keeper.run(every: statusInterval)
        var stream = WALStream(
            connection: connection, receiver: receiver, stop: stop, statusInterval: statusInterval,
            silenceLimit: silenceLimit, received: start, rule: WALStopRule(segmentSize: size), keeper: keeper)
        let wakeup = connection.wakeup
        do {
            return try await withTaskCancellationHandler {
                try await stream.run("START_REPLICATION \(slotClause)PHYSICAL \(start) TIMELINE \(timeline)")
            } onCancel: {
                wakeup.set()
            }
        } catch {
            connection.abandon()
            throw error
        }
    }
}

/// Runs one `START_REPLICATION` command.
private struct WALStream {
    let connection: Connection
    let receiver: any WALReceiver
    let stop: WALStop
    let statusInterval: Duration
    let silenceLimit: Duration
    var received: LSN
    var rule: WALStopRule
    private let keeper: WALStatusKeeper
    private var safe = LSN.zero
    private var lastStatus = ContinuousClock.now
    private var lastMessage = ContinuousClock.now
    private var lastData = ContinuousClock.now
    private var isAskedForLife = false
    /// When the receiver hears of a pause if nothing comes before: at once when it has all that the server has, and not while more
    /// is on its way. nil when no WAL came since it last heard of one.
    private var pauseAt: ContinuousClock.Instant?
    /// How long WAL that is on its way is waited for.
    private static let longestGap: Duration = .milliseconds(100)

    init(
        connection: Connection, receiver: any WALReceiver, stop: WALStop, statusInterval: Duration,
        silenceLimit: Duration, received: LSN, rule: WALStopRule, keeper: WALStatusKeeper
    ) {
        self.connection = connection
        self.receiver = receiver
        self.stop = stop
        self.statusInterval = statusInterval
        self.silenceLimit = silenceLimit
        self.received = received
        self.rule = rule
        self.keeper = keeper
    }

    mutating func run(_ command: String) async throws -> WALStreamEnd {
        let limit = ContinuousClock.now + silenceLimit
        try connection.send(command, by: limit, .wal)
        guard let first = try connection.nextResult(by: limit, .wal) else { throw connection.error(.protocol, .wal) }
        if first.isError { throw connection.serverError(first, .wal) }
        // A timeline that ends where we begin has nothing to stream.
        if first.status == PGRES_TUPLES_OK { return try finishTimeline(first) }
        guard first.status == PGRES_COPY_BOTH else { throw connection.error(.protocol, .wal, "no stream") }

        lastMessage = .now
        while true {
            if let end = stop.end {
                if rule.isDone(received: received, end: end) { return try finishStopped() }
                if rule.asksForAnswer(received: received, end: end, quiet: .now - lastData) {
                    try sendStatus(wantsReply: true)
                }
            }
            try keepInTouch()
            let wakes = stop.end == nil ? stop.wakeup.descriptor : -1
            switch try connection.nextCopyEvent(by: pauseAt ?? nextDeadline, or: wakes, .wal) {
            case .message(let message):
                isAskedForLife = false
                try await take(message)
                // Now, not before: the time that the receiver took is not the server's silence.
                lastMessage = .now
            case .ended: return try finishEnded()
            case .timedOut: if pauseAt != nil { try await pause() }
            case .woken: continue
            }
        }
    }

    /// Lets the receiver make safe what it has. A server that waits for that (`synchronous_standby_names`) hears at once.
    private mutating func pause() async throws {
        pauseAt = nil
        keeper.lend(.init(received: received, safe: safe))
        let safe: LSN?
        do {
            defer { keeper.takeBack() }
            safe = try await receiver.walPause()
        }
        try tell(safe)
    }

    private mutating func tell(_ safe: LSN?) throws(PostgresError) {
        guard let safe, safe > self.safe else { return }
        self.safe = safe
        try sendStatus(wantsReply: false)
    }

    private mutating func take(_ message: borrowing CopyMessage) async throws {
        switch unsafe WALMessage(message.buffer) {
        case .data(let position, let serverEnd):
            guard position == received else {
                throw connection.error(.protocol, .wal, "WAL at \(position) came where \(received) was next")
            }
            rule.sawData()
            lastData = .now
            let count = message.count - WALMessage.dataHeaderByteCount
            // The span lives in libpq's message, which lives until this call has returned.
            let data = unsafe UnsafeRawBufferPointer(rebasing: message.buffer.dropFirst(WALMessage.dataHeaderByteCount))
            keeper.lend(.init(received: received, safe: safe))
            let safe: LSN?
            do {
                defer { keeper.takeBack() }
                safe = try await unsafe receiver.walBytes(data.bytes, at: position)
            }
            received = received.advanced(by: count)
            pauseAt = received >= serverEnd ? .now : .now + Self.longestGap
            try tell(safe)
        case .keepalive(_, let wantsReply):
            rule.sawKeepalive()
            if wantsReply { try sendStatus(wantsReply: false) }
        case nil:
            throw connection.error(.protocol, .wal, "an unknown message in the stream")
        }
    }

    /// Sends a status when it is due, and asks a silent server for a sign of life.
    private mutating func keepInTouch() throws(PostgresError) {
        let now = ContinuousClock.now
        if now - lastMessage >= silenceLimit { throw connection.error(.timedOut, .wal) }
        let isSilent = now - lastMessage >= silenceLimit / 2
        if isSilent && !isAskedForLife {
            isAskedForLife = true
            try sendStatus(wantsReply: true)
        } else if now - lastStatus >= statusInterval {
            try sendStatus(wantsReply: false)
        }
    }

    private var nextDeadline: ContinuousClock.Instant {
        let usual = min(lastStatus + statusInterval, lastMessage + (isAskedForLife ? silenceLimit : silenceLimit / 2))
        return stop.end == nil ? usual : min(usual, .now + WALStopRule.quietTime)
    }

    private mutating func sendStatus(wantsReply: Bool) throws(PostgresError) {
        lastStatus = .now
        let status = WALStatusKeeper.Status(received: received, safe: safe)
        try connection.putCopy(status.message(wantsReply: wantsReply), by: lastStatus + silenceLimit, .wal)
    }

    /// Ends a stream that has what it was to get. What the server still has under way is not wanted.
    private mutating func finishStopped() throws(PostgresError) -> WALStreamEnd {
        let limit = ContinuousClock.now + .seconds(10)
        // The last status lets a slot move on to where we are.
        try sendStatus(wantsReply: false)
        try connection.endCopy(by: limit, .wal)
        while true {
            switch try connection.nextCopyEvent(by: limit, .wal) {
            case .message: continue
            case .timedOut: throw connection.error(.timedOut, .wal)
            case .woken: throw connection.error(.timedOut, .wal)
            case .ended:
                _ = try connection.finish(by: limit, .wal)
                return WALStreamEnd(position: received, cause: .stopped)
            }
        }
    }

    /// The server has ended the stream: its timeline ended, it shuts down, or an error follows.
    private func finishEnded() throws(PostgresError) -> WALStreamEnd {
        let limit = ContinuousClock.now + .seconds(10)
        guard var result = try connection.nextResult(by: limit, .wal) else {
            return WALStreamEnd(position: received, cause: .serverShutDown)
        }
        if result.status == PGRES_COPY_IN {
            try connection.endCopy(by: limit, .wal)
            guard let next = try connection.nextResult(by: limit, .wal) else {
                return WALStreamEnd(position: received, cause: .serverShutDown)
            }
            result = next
        }
        if result.isError { throw connection.serverError(result, .wal) }
        if result.status == PGRES_TUPLES_OK { return try finishTimeline(result) }
        _ = try connection.finish(by: limit, .wal)
        return WALStreamEnd(position: received, cause: .serverShutDown)
    }

    private func finishTimeline(_ result: ServerResult) throws(PostgresError) -> WALStreamEnd {
        guard let next = result.text(row: 0, column: 0).flatMap(Timeline.init(_:)),
            let position = result.text(row: 0, column: 1).flatMap(LSN.init(_:))
        else { throw connection.error(.protocol, .wal, "no next timeline") }
        _ = try connection.finish(by: .now + .seconds(10), .wal)
        return WALStreamEnd(position: received, cause: .timelineEnded(next: next, at: position))
    }
}
