import Logging
package import PostgresClient
import Synchronization

/// What a receiver of WAL works with.
package struct WALReceivingPlan: Sendable {
    package var server: String
    package var connection: PostgresClient.ConnectionSettings
    /// The physical slot that keeps the WAL on the server.
    package var slot: String
    /// Whether the slot is made when it is not there.
    package var createsSlot: Bool
    package var limits: WALInboxLimits
    /// The first wait after a fault; it doubles up to a minute.
    package var firstPause: Duration

    /// Makes a plan.
    package init(
        server: String, connection: PostgresClient.ConnectionSettings, slot: String, createsSlot: Bool,
        limits: WALInboxLimits = WALInboxLimits(), firstPause: Duration = .seconds(1)
    ) {
        self.server = server
        self.connection = connection
        self.slot = slot
        self.createsSlot = createsSlot
        self.limits = limits
        self.firstPause = firstPause
    }
}

/// Receives the WAL of one server through a slot, without an end: into an inbox, from where it goes to the targets.
///
/// It goes on where the inbox ends, and else where the slot does. A fault ends the stream, not the receiver.
package struct WALReceiving: Sendable {
    private static let longestPause: Duration = .seconds(60)
    private let plan: WALReceivingPlan
    private let inbox: WALInbox
    private let progress: ReceiverProgress
    private let stop = WALStop()
    /// Whether what the inbox would go on with is gone from the server.
    private let isBehind = IsBehind()

    package init(plan: WALReceivingPlan, inbox: WALInbox, progress: ReceiverProgress) {
        self.plan = plan
        self.inbox = inbox
        self.progress = progress
    }

    /// Ends the stream in good order; `run` returns soon after.
    package func finish() { stop.stopNow() }

    /// Receives until `finish` is called or the task is cancelled.
    package func run() async {
        var pause = plan.firstPause
        while !Task.isCancelled, stop.end == nil {
            let before = progress.reading.received
            do {
                try await stream()
            } catch {
                guard !Task.isCancelled, stop.end == nil else { return }
                warn(error)
            }
            progress.change { $0.isStreaming = false }
            if stop.end != nil { return }
            // A stream that brought something was well.
            pause = progress.reading.received > before ? plan.firstPause : min(pause * 2, Self.longestPause)
            await wait(pause)
        }
    }

    /// Waits, but not when the receiver is to end.
    private func wait(_ pause: Duration) async {
        let end = ContinuousClock.now + pause
        while ContinuousClock.now < end, stop.end == nil {
            guard (try? await Task.sleep(for: min(.milliseconds(200), pause))) != nil else { return }
        }
    }

    private func warn(_ error: any Error) {
        progress.change { $0.streamFault = "\(error)" }
        Logger.current.warning(
            "WAL is not being received", metadata: [LogKeys.server: "\(plan.server)", LogKeys.error: "\(error)"])
    }

    /// Streams from the resume point until the server ends it.
    private func stream() async throws {
        let session = try await ReplicationSession.open(plan.connection)
        defer { session.close() }
        let identity = try await session.identifySystem()
        let size = try await session.segmentSize()
        if plan.createsSlot {
            do throws(PostgresError) {
                try await session.createPhysicalSlot(plan.slot)
            } catch {
                guard error.reason == .slotInUse else { throw error }
            }
        }
        var (timeline, start) = try await resumePoint(session, identity, size)
        let writer = SegmentWriter(
            inbox: inbox, start: start, timeline: timeline, size: size, limits: plan.limits, progress: progress)
        while stop.end == nil {
            if timeline != .first { try await putHistory(of: timeline, session) }
            progress.change {
                ($0.isStreaming, $0.timeline, $0.streamFault) = (true, timeline.number, nil)
            }
            Logger.current.notice(
                "WAL is being received",
                metadata: [
                    LogKeys.server: "\(plan.server)", LogKeys.position: "\(start)", LogKeys.timeline: "\(timeline)",
                ])
            let end: WALStreamEnd
            do throws(any Error) {
                end = try await session.streamWAL(
                    from: start, timeline: timeline, slot: plan.slot, to: writer, stop: stop)
            } catch let error as PostgresError {
                if error.reason == .walGone { await noteGap(from: start, error) }
                throw error
            }
            isBehind.set(false)
            guard case .timelineEnded(let next, let switched) = end.cause else { return }
            try writer.finishTimeline()
            (timeline, start) = (next, switched.roundedDownToSegment(size: size))
            writer.begin(timeline, at: start)
        }
    }

    /// WAL that the server has no more can only come from elsewhere: the next stream begins where the server still has some. A slot
    /// that the server has given up is made anew, where we may.
    private func noteGap(from start: LSN, _ error: PostgresError) async {
        progress.change { $0.gapCount += 1 }
        isBehind.set(true)
        Logger.current.error(
            "WAL is gone from the server before it was received: recovery over this gap is not possible; take a full backup",
            metadata: [
                LogKeys.server: "\(plan.server)", LogKeys.position: "\(start)", LogKeys.error: "\(error)",
            ])
        if let name = try? inbox.unfinished() { try? inbox.remove(name + WALInbox.unfinishedSuffix) }
        guard plan.createsSlot, let session = try? await ReplicationSession.open(plan.connection) else { return }
        try? await session.dropSlot(plan.slot)
        session.close()
    }

    private func putHistory(of timeline: Timeline, _ session: ReplicationSession) async throws {
        let (name, bytes) = try await session.timelineHistory(timeline)
        guard name == timeline.historyFileName else {
            throw EngineError(.streamMalformed, "the history of timeline \(timeline) is called '\(name)'")
        }
        try inbox.put(name, bytes)
    }

    /// Where to go on: at the segment that was interrupted, behind the last one that came, or where the slot begins.
    private func resumePoint(
        _ session: ReplicationSession, _ identity: SystemIdentity, _ size: WALSegmentSize
    ) async throws -> (Timeline, LSN) {
        if !isBehind.value, let name = try inbox.unfinished(), let segment = WALSegment(name: name, size: size) {
            return (segment.timeline, segment.start)
        }
        if !isBehind.value, let last = try inbox.finished().compactMap({ WALSegment(name: $0, size: size) }).last {
            return (last.timeline, last.end)
        }
        let sql = try await PostgresSession.open(plan.connection)
        defer { sql.close() }
        let kept = try await sql.slotPosition(plan.slot) ?? identity.position
        var timeline = identity.timeline
        if timeline != .first {
            let (_, bytes) = try await session.timelineHistory(timeline)
            timeline = Self.timeline(of: kept, current: timeline, history: String(decoding: bytes, as: UTF8.self))
        }
        return (timeline, kept.roundedDownToSegment(size: size))
    }

    /// The timeline that a position is on: a history has a line for each older timeline, with the position where it ended
    /// (documentation, "Timelines").
    static func timeline(of position: LSN, current: Timeline, history: String) -> Timeline {
        for line in history.split(separator: "\n") {
            let words = line.split { $0 == "\t" || $0 == " " }
            guard words.count >= 2, let older = Timeline(String(words[0])), let end = LSN(String(words[1])) else {
                continue
            }
            if position < end { return older }
        }
        return current
    }
}

/// A flag that the streams of one receiver leave to each other.
private final class IsBehind: Sendable {
    private let state = Atomic<Bool>(false)
    var value: Bool { state.load(ordering: .relaxed) }
    func set(_ value: Bool) { state.store(value, ordering: .relaxed) }
}
