internal import BackupAPI
import Glibc
import Synchronization

/// The thread of a channel: moves bytes between the queue, the program and those who wait, until the session ends.
///
/// Only the thread that `start` makes uses it. It waits in `poll(2)` with the time that is left of the idle limit, so
/// nobody waits for ever.
@safe final class SFTPChannelLoop {
    /// Why the loop ended.
    private enum Ending {
        case closed
        case ended
        case silent(Duration)
        case malformed(String)
    }

    /// How far the session is.
    private enum Stage {
        case awaitingVersion
        case awaitingLimits(UInt32, SFTPFeatures)
        case begun
    }

    private let channel: SFTPChannel
    private let program: ChildProcess
    private let limits: SFTPTimeLimits
    private let explain: @Sendable (ProcessEnd, String) -> ChannelLoss
    private let startTime = ContinuousClock.now
    private var stage = Stage.awaitingVersion
    private var framer = SFTPFramer()
    private var words = MessageTail()
    private var messagesEnded = false
    private let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 262_144, alignment: 16)

    private init(
        channel: SFTPChannel, program: ChildProcess, limits: SFTPTimeLimits,
        explain: @escaping @Sendable (ProcessEnd, String) -> ChannelLoss
    ) {
        self.channel = channel
        self.program = program
        self.limits = limits
        self.explain = explain
    }

    deinit { unsafe scratch.deallocate() }

    /// Starts the thread; it keeps the channel alive until the session ends.
    static func start(
        channel: SFTPChannel, program: ChildProcess, limits: SFTPTimeLimits,
        explain: @escaping @Sendable (ProcessEnd, String) -> ChannelLoss
    ) throws(ChannelLoss) {
        let loop = SFTPChannelLoop(channel: channel, program: program, limits: limits, explain: explain)
        var thread = pthread_t()
        // Sound: the thread takes over the reference that is retained here, once.
        let context = unsafe Unmanaged.passRetained(loop)
        let result = unsafe pthread_create(
            &thread, nil,
            { context in
                guard let context = unsafe context else { return nil }
                unsafe Unmanaged<SFTPChannelLoop>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, context.toOpaque())
        guard result == 0 else {
            unsafe context.release()
            _ = program.finish()
            throw ChannelLoss(.failed, detail: "no thread for the connection: \(SystemWords.text(of: result))")
        }
        _ = pthread_detach(thread)
    }

    private func run() {
        let ending = pump()
        if case .ended = ending { drainMessages() }
        let end = program.finish()
        finish(loss(of: ending, end: end))
    }

    // MARK: Moving bytes

    private func pump() -> Ending {
        while true {
            let (isClosing, hasOutput) = channel.shared.withLock { shared in
                shared.isWoken = false
                return (shared.isClosing, !shared.queue.isEmpty)
            }
            if isClosing { return .closed }
            let (wait, limit) = timeLeft()
            if let wait, wait <= 0 { return .silent(limit) }
            let ready = poll(wantsOutput: hasOutput, milliseconds: wait ?? -1)
            if ready.woken { channel.wakeLine.clear() }
            if ready.messages { readMessages() }
            if ready.output { sendQueued() }
            if ready.input, let ending = receive() { return ending }
        }
    }

    /// Milliseconds until a silent peer is given up, rounded up; nil while nothing is due.
    private func timeLeft() -> (Int32?, Duration) {
        let (isWaiting, lastProgress, isSlow) = channel.shared.withLock {
            (!$0.due.isEmpty, $0.lastProgress, $0.slowCount > 0)
        }
        let deadline: ContinuousClock.Instant
        let limit: Duration
        switch stage {
        case .begun:
            guard isWaiting else { return (nil, limits.idle) }
            limit = isSlow ? limits.slow : limits.idle
            deadline = lastProgress + limit
        default:
            limit = limits.beginning
            deadline = startTime + limit
        }
        let left = deadline - .now
        guard left > .zero else { return (0, limit) }
        let milliseconds = left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000 + 1
        return (Int32(clamping: milliseconds), limit)
    }

    private func poll(
        wantsOutput: Bool, milliseconds: Int32
    ) -> (input: Bool, output: Bool, messages: Bool, woken: Bool) {
        let events = Int16(POLLIN) | (wantsOutput ? Int16(POLLOUT) : 0)
        var entries = [
            pollfd(fd: program.stream, events: events, revents: 0),
            pollfd(fd: channel.wakeLine.descriptor, events: Int16(POLLIN), revents: 0),
            // A negative descriptor is passed over (poll(2)).
            pollfd(fd: messagesEnded ? -1 : program.messages, events: Int16(POLLIN), revents: 0),
        ]
        // Sound: the array is not changed during the call. An interrupted call reports nothing and is made again.
        let count = unsafe entries.withUnsafeMutableBufferPointer {
            unsafe Glibc.poll($0.baseAddress, nfds_t($0.count), milliseconds)
        }
        guard count > 0 else { return (false, false, false, false) }
        let stream = Int32(entries[0].revents)
        let ended = POLLHUP | POLLERR | POLLNVAL
        return (
            stream & (POLLIN | ended) != 0, stream & POLLOUT != 0, entries[2].revents != 0, entries[1].revents != 0
        )
    }

    private func sendQueued() {
        while let (packet, sent) = channel.shared.withLock({ $0.queue.head }) {
            // Sound: the pointer stays within the array, which is held here.
            let count = unsafe packet.withUnsafeBytes { bytes in
                unsafe Glibc.send(
                    program.stream, bytes.baseAddress?.advanced(by: sent), bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            // A broken stream is seen by `receive`, which still takes what came before the break.
            guard count > 0 else { return }
            channel.shared.withLock { shared in
                shared.queue.advance(count)
                shared.lastProgress = .now
            }
        }
    }

    /// Takes what has come.
    /// - Returns: why the session has ended, or nil.
    private func receive() -> Ending? {
        // Sound: at most the buffer's size is received, and only what was received is read.
        let count = unsafe recv(program.stream, scratch.baseAddress, scratch.count, 0)
        if count == 0 { return .ended }
        if count < 0 { return errno == EAGAIN || errno == EINTR ? nil : .ended }
        channel.shared.withLock { $0.lastProgress = .now }
        do throws(SFTPMalformed) {
            let bytes = unsafe UnsafeRawBufferPointer(rebasing: scratch[..<count])
            try unsafe framer.feed(bytes) { (packet) throws(SFTPMalformed) in try take(packet) }
        } catch {
            return .malformed(error.detail)
        }
        return nil
    }

    // MARK: Answers

    private func take(_ packet: [UInt8]) throws(SFTPMalformed) {
        let (number, reply) = try SFTPReply.decode(packet)
        if case .version(let version, let offered) = reply {
            guard case .awaitingVersion = stage else { throw SFTPMalformed(detail: "a second greeting") }
            let features = try SFTPFeatures(version: version, offered: offered)
            guard features.has(.limits) else { return begin(with: features) }
            stage = .awaitingLimits(channel.enqueue(SFTPRequest.limits.packet).number, features)
            return
        }
        let due = channel.shared.withLock { shared -> SFTPChannel.Due? in
            let due = shared.due.removeValue(forKey: number)
            if due?.isSlow == true { shared.slowCount -= 1 }
            return due
        }
        guard let due else { throw SFTPMalformed(detail: "an answer to no request") }
        if case .awaitingLimits(number, var features) = stage {
            if case .extended(let bytes) = reply { try features.apply(limits: bytes) }
            begin(with: features)
        }
        let isWanted = due.reply.resolve(.success(reply))
        // Who opened it has gone away: nobody else knows the handle.
        if !isWanted, case .handle(let handle) = reply { channel.send(.close(handle)) }
    }

    private func begin(with features: SFTPFeatures) {
        stage = .begun
        channel.beginning.resolve(.success(features))
    }

    // MARK: Messages and the end

    private func readMessages() {
        var bytes = [UInt8](repeating: 0, count: 4096)
        // Sound: at most the array's size is received.
        let count = unsafe recv(program.messages, &bytes, 4096, 0)
        if count > 0 { words.append(bytes[..<count]) }
        if count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR) { messagesEnded = true }
    }

    /// Takes the program's last words; they are in the line already when the stream has ended, or come very soon.
    private func drainMessages() {
        let deadline = ContinuousClock.now + .seconds(1)
        while !messagesEnded, ContinuousClock.now < deadline {
            var entry = pollfd(fd: program.messages, events: Int16(POLLIN), revents: 0)
            // Sound: one entry.
            guard unsafe Glibc.poll(&entry, 1, 1000) > 0 else { return }
            readMessages()
        }
    }

    private func loss(of ending: Ending, end: ProcessEnd) -> ChannelLoss {
        let hasBegun = if case .begun = stage { true } else { false }
        var loss: ChannelLoss
        switch ending {
        case .closed: loss = ChannelLoss(.unavailable, detail: "the connection was closed")
        case .ended: loss = explain(end, words.text)
        case .silent(let limit):
            loss = ChannelLoss(
                .timedOut, detail: "no answer within \(limit.components.seconds) s",
                remedy: "Check the network and the server; raise idle_timeout if the server is only slow.")
        case .malformed(let detail):
            loss = ChannelLoss(
                .failed, detail: "the server does not keep to SFTP: \(detail)",
                remedy: "Run 'sftp' to the server by hand: login scripts there must not print anything.")
        }
        loss.wasEstablished = hasBegun
        return loss
    }

    private func finish(_ loss: ChannelLoss) {
        let due = channel.shared.withLock { shared -> [SFTPChannel.Due] in
            shared.loss = loss
            shared.queue = PacketQueue()
            defer { shared.due = [:] }
            return Array(shared.due.values)
        }
        channel.beginning.resolve(.failure(.lost(loss)))
        for entry in due { entry.reply.resolve(.failure(.lost(loss))) }
        channel.end.resolve(true)
    }
}

/// The last few KiB that a program wrote to standard error.
struct MessageTail: Sendable {
    private var bytes: [UInt8] = []

    /// Takes more.
    mutating func append(_ more: ArraySlice<UInt8>) {
        bytes.append(contentsOf: more)
        if bytes.count > 16_384 { bytes.removeFirst(bytes.count - 8_192) }
    }

    /// As text.
    var text: String { String(decoding: bytes, as: UTF8.self) }
}
