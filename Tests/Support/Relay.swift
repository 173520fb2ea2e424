import Foundation
import Glibc
import Synchronization

/// Passes bytes on between clients and a port of the loopback, until it is told to cut or to be silent.
package final class Relay: Sendable {
    /// What to do with bytes.
    package enum Mode: Sendable, Equatable {
        case pass
        /// Cut the first connection that has carried so many bytes in both directions together; then pass again.
        case cut(afterByteCount: Int)
        /// Keep connections open and pass nothing on.
        case silent
    }

    private struct State {
        var mode = Mode.pass
        var isEnded = false
        var cutCount = 0
    }

    private struct Pair {
        let client: Int32
        let server: Int32
        var carried = 0
    }

    package let port: Int
    private let state = Mutex(State())
    private let ended = DispatchSemaphore(value: 0)

    /// Starts passing on to `target`.
    package init(to target: Int) throws {
        guard let listener = LoopbackSocket.listen() else { throw ProgramError(description: "no port") }
        port = listener.port
        let thread = Thread { [self] in
            run(listener.descriptor, target)
            ended.signal()
        }
        thread.start()
    }

    /// How many connections were cut.
    package var cutCount: Int { state.withLock { $0.cutCount } }

    /// Changes what is done from now on; the count of carried bytes begins anew.
    package func set(_ mode: Mode) { state.withLock { $0.mode = mode } }

    /// Ends all connections and waits for the thread.
    package func close() {
        state.withLock { $0.isEnded = true }
        ended.wait()
    }

    private func run(_ listener: Int32, _ target: Int) {
        var pairs: [Pair] = []
        var lastMode = Mode.pass
        while !state.withLock({ $0.isEnded }) {
            let mode = state.withLock { $0.mode }
            if mode != lastMode { for index in pairs.indices { pairs[index].carried = 0 } }
            lastMode = mode
            var entries = [pollfd(fd: listener, events: Int16(POLLIN), revents: 0)]
            if mode != .silent {
                for pair in pairs {
                    entries.append(pollfd(fd: pair.client, events: Int16(POLLIN), revents: 0))
                    entries.append(pollfd(fd: pair.server, events: Int16(POLLIN), revents: 0))
                }
            }
            // The wait is short because it ends for a change of mode, too.
            guard unsafe poll(&entries, nfds_t(entries.count), 20) > 0 else { continue }
            var cut: [Int] = []
            for index in entries.indices.dropFirst() where entries[index].revents != 0 {
                let number = (index - 1) / 2
                let (from, to) =
                    index % 2 == 1
                    ? (pairs[number].client, pairs[number].server) : (pairs[number].server, pairs[number].client)
                guard let count = Relay.pass(from, to) else {
                    cut.append(number)
                    continue
                }
                pairs[number].carried += count
                if cut.isEmpty, case .cut(let limit) = mode, pairs[number].carried > limit {
                    cut.append(number)
                    state.withLock { state in
                        state.cutCount += 1
                        state.mode = .pass
                    }
                }
            }
            for number in Set(cut).sorted(by: >) {
                Relay.end(pairs[number])
                pairs.remove(at: number)
            }
            if entries[0].revents != 0 {
                let client = accept(listener, nil, nil)
                if client >= 0, let server = LoopbackSocket.connect(port: target) {
                    pairs.append(Pair(client: client, server: server))
                }
            }
        }
        for pair in pairs { Relay.end(pair) }
        Glibc.close(listener)
    }

    /// Shuts both sides down first: a program that another test starts just now may have inherited the sockets.
    private static func end(_ pair: Pair) {
        for descriptor in [pair.client, pair.server] {
            shutdown(descriptor, Int32(SHUT_RDWR))
            Glibc.close(descriptor)
        }
    }

    /// Passes what has come; nil at the end.
    private static func pass(_ from: Int32, _ to: Int32) -> Int? {
        var bytes = [UInt8](repeating: 0, count: 32_768)
        let count = unsafe recv(from, &bytes, bytes.count, 0)
        guard count > 0 else { return nil }
        var sent = 0
        while sent < count {
            let more = unsafe bytes.withUnsafeBytes {
                unsafe send(to, $0.baseAddress?.advanced(by: sent), count - sent, Int32(MSG_NOSIGNAL))
            }
            guard more > 0 else { return nil }
            sent += more
        }
        return count
    }
}
