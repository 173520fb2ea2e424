internal import BackupAPI
import Synchronization

/// One session with a server: requests go out without waiting for each other's answers.
///
/// `send` may be called from any task. A thread of its own (`SFTPChannelLoop`) moves the bytes, so that a cancelled
/// task never leaves half a packet behind and a silent peer is noticed. Memory: callers bound what they have in flight.
final class SFTPChannel: Sendable {
    /// A request whose answer is due.
    struct Due: Sendable {
        let reply: PendingReply
        let isSlow: Bool
    }

    /// What the tasks and the thread share.
    struct Shared {
        var queue = PacketQueue()
        var due: [UInt32: Due] = [:]
        var slowCount = 0
        var lastNumber: UInt32 = 0
        var lastProgress: ContinuousClock.Instant
        var loss: ChannelLoss?
        var isClosing = false
        var isWoken = false
    }

    let shared: Mutex<Shared>
    let wakeLine: WakeLine
    /// What the server can do, once the session has begun.
    let beginning = OneShot<Result<SFTPFeatures, SFTPFault>>()
    /// Set when the thread has ended and the program is gone.
    let end = OneShot<Bool>()
    private let counter: RequestCounter
    /// How many callers have this channel at the moment; the pool's measure of load.
    let userCount = Atomic<Int>(0)

    /// Starts the program and its session; does not wait.
    /// - Parameter explain: makes words of how the program ended and of what it wrote to standard error.
    init(
        launch: ProcessLaunch, limits: SFTPTimeLimits, counter: RequestCounter,
        explain: @escaping @Sendable (ProcessEnd, String) -> ChannelLoss
    ) throws(SFTPFault) {
        shared = Mutex(Shared(lastProgress: .now))
        self.counter = counter
        do throws(ChannelLoss) {
            wakeLine = try WakeLine()
            let program = try ChildProcess(launch)
            shared.withLock { $0.queue.append(SFTPPacket.greeting.bytes) }
            try SFTPChannelLoop.start(channel: self, program: program, limits: limits, explain: explain)
        } catch {
            throw .lost(error)
        }
    }

    /// Waits until the session has begun.
    func features() async throws(SFTPFault) -> SFTPFeatures {
        if let known = beginning.current { return try known.get() }
        // A cancelled caller stops waiting; the session goes on to begin for others.
        let mine = OneShot<Result<SFTPFeatures, SFTPFault>>()
        let relay = Task { mine.resolve(await beginning.value()) }
        defer { relay.cancel() }
        let result = await withTaskCancellationHandler {
            await mine.value()
        } onCancel: {
            mine.resolve(.failure(.cancelled))
        }
        return try result.get()
    }

    /// Whether no request can succeed any more.
    var isLost: Bool { shared.withLock { $0.loss != nil || $0.isClosing } }

    /// Sends a request; never waits.
    @discardableResult
    func send(_ request: SFTPRequest) -> PendingReply { send(request.packet) }

    /// Sends a packet; never waits.
    @discardableResult
    func send(_ packet: consuming SFTPPacket) -> PendingReply { enqueue(packet).reply }

    /// Sends a packet and tells its number.
    func enqueue(_ packet: consuming SFTPPacket) -> (number: UInt32, reply: PendingReply) {
        counter.count(packet.kind)
        let due = Due(reply: PendingReply(), isSlow: packet.isSlow)
        var packet = packet
        let (number, loss, mustWake) = shared.withLock { shared -> (UInt32, ChannelLoss?, Bool) in
            if let loss = shared.loss { return (0, loss, false) }
            if shared.isClosing { return (0, ChannelLoss(.unavailable, detail: "the connection was closed"), false) }
            shared.lastNumber &+= 1
            packet.setNumber(shared.lastNumber)
            shared.queue.append(packet.bytes)
            if shared.due.isEmpty { shared.lastProgress = .now }
            shared.due[shared.lastNumber] = due
            if due.isSlow { shared.slowCount += 1 }
            defer { shared.isWoken = true }
            return (shared.lastNumber, nil, !shared.isWoken)
        }
        if let loss { due.reply.resolve(.failure(.lost(loss))) }
        if mustWake { wakeLine.wake() }
        return (number, due.reply)
    }

    /// Ends the session; requests without an answer fail.
    func close() {
        shared.withLock { $0.isClosing = true }
        wakeLine.wake()
    }
}

/// Packets that wait to be sent, in order.
struct PacketQueue: Sendable {
    private var packets: [[UInt8]] = []
    private var first = 0
    private var sentOfFirst = 0

    /// Whether nothing waits.
    var isEmpty: Bool { first == packets.count }

    /// Adds a packet at the end.
    mutating func append(_ packet: [UInt8]) { packets.append(packet) }

    /// The first packet, and how much of it was sent.
    var head: (packet: [UInt8], sent: Int)? { isEmpty ? nil : (packets[first], sentOfFirst) }

    /// Notes that `count` more bytes of the first packet were sent.
    mutating func advance(_ count: Int) {
        sentOfFirst += count
        guard sentOfFirst == packets[first].count else { return }
        packets[first] = []
        first += 1
        sentOfFirst = 0
        // The used front is dropped now and then: dropping it each time would move the rest each time.
        if first == packets.count {
            packets.removeAll(keepingCapacity: true)
            first = 0
        } else if first == 256 {
            packets.removeFirst(first)
            first = 0
        }
    }
}
