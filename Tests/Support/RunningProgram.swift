import Glibc
import Synchronization

/// A program that was started in the background.
package final class RunningProgram: Sendable {
    /// Its process id, valid until `finish` returns.
    package let process: Int32
    private let path: String
    private let input: Int32
    private let output: Int32
    private let error: Int32
    private let isFinished = Atomic<Bool>(false)

    init(path: String, process: pid_t, input: Int32, output: Int32, error: Int32) {
        self.path = path
        self.process = process
        self.input = input
        self.output = output
        self.error = error
    }

    /// A test that failed leaves no program behind.
    deinit {
        guard !isFinished.load(ordering: .relaxed) else { return }
        kill(process, SIGKILL)
        _ = waitForEnd()
        for descriptor in [input, output, error] { close(descriptor) }
    }

    /// Sends a signal, such as `SIGTERM`.
    package func signal(_ number: Int32) { kill(process, number) }

    /// Feeds the program, collects what it writes, and waits for its end. Called once.
    /// - Throws: when it took longer than `timeout`; it is killed then.
    package func finish(input bytes: [UInt8] = [], timeout: Duration = .seconds(600)) throws -> ProgramOutcome {
        isFinished.store(true, ordering: .relaxed)
        let deadline = ContinuousClock.now + timeout
        var collected: [[UInt8]] = [[], []]
        var feed = Feed(descriptor: input, bytes: bytes)
        var open = [output, error]
        defer { for descriptor in open where descriptor >= 0 { close(descriptor) } }

        while open.contains(where: { $0 >= 0 }) {
            var watched = [
                pollfd(fd: open[0], events: Int16(POLLIN), revents: 0),
                pollfd(fd: open[1], events: Int16(POLLIN), revents: 0),
                pollfd(fd: feed.descriptor, events: Int16(POLLOUT), revents: 0),
            ]
            let left = deadline - .now
            guard left > .zero else {
                feed.end()
                throw abandon()
            }
            guard unsafe poll(&watched, 3, Int32(left / .milliseconds(1)) + 1) > 0 else { continue }
            if watched[2].revents != 0 { feed.write() }
            for index in 0..<2 where watched[index].revents != 0 {
                if !readOnce(open[index], into: &collected[index]) {
                    close(open[index])
                    open[index] = -1
                }
            }
        }
        feed.end()
        return ProgramOutcome(status: waitForEnd(), output: collected[0], error: collected[1])
    }

    private func readOnce(_ descriptor: Int32, into bytes: inout [UInt8]) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = unsafe read(descriptor, &buffer, buffer.count)
        if count > 0 { bytes += buffer[..<count] }
        return count > 0
    }

    private func waitForEnd() -> Int32 {
        var status: Int32 = 0
        while unsafe waitpid(process, &status, 0) < 0 && errno == EINTR {}
        let signalNumber = status & 0x7F
        return signalNumber == 0 ? (status >> 8) & 0xFF : 128 + signalNumber
    }

    private func abandon() -> ProgramError {
        kill(process, SIGKILL)
        _ = waitForEnd()
        return ProgramError(description: "\(path) did not end in time and was killed")
    }
}

/// Writes a program's input as fast as the program takes it.
private struct Feed {
    private(set) var descriptor: Int32
    private var bytes: ArraySlice<UInt8>

    init(descriptor: Int32, bytes: [UInt8]) {
        self.descriptor = descriptor
        self.bytes = bytes[...]
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        // A program that ends before it has read everything must not end the tests.
        Glibc.signal(SIGPIPE, SIG_IGN)
        if bytes.isEmpty { end() }
    }

    mutating func write() {
        let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
        if count < 0 && errno == EAGAIN { return }
        bytes = count < 0 ? [] : bytes.dropFirst(count)
        if bytes.isEmpty { end() }
    }

    mutating func end() {
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
    }
}
