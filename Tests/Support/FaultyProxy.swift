import Foundation
import Glibc
import Synchronization

/// Stands between a client and a server on this machine, sees one request a connection, and spoils some of them.
package final class FaultyProxy: Sendable {
    /// What to do with a request.
    package enum Action: Sendable {
        /// Pass it on, and its answer back.
        case relay
        /// Answer it with this head and body, and do not pass it on.
        case answer(status: String, headers: String = "", body: String = "")
        /// Break both connections when this many bytes of the request were passed on.
        case cutRequest(after: Int)
        /// Break both connections when this many bytes of the answer were passed back.
        case cutAnswer(after: Int)
        /// Do nothing until the client goes away.
        case stall
    }

    /// Where clients connect.
    package let port: Int
    private let descriptor: Int32
    private let seen = Mutex<[String]>([])

    /// Begins to listen.
    /// - Parameter decide: gets the head of a request and how many of the same first line came before it.
    package init(to serverPort: Int, decide: @escaping @Sendable (_ head: String, _ repetition: Int) -> Action) throws {
        guard let (descriptor, port) = LoopbackSocket.listen() else { throw ProgramError(description: "no port") }
        (self.descriptor, self.port) = (descriptor, port)
        Thread.detachNewThread { [weak self] in
            while true {
                let client = accept(descriptor, nil, nil)
                guard client >= 0 else { return }
                guard let self else {
                    close(client)
                    return
                }
                Thread.detachNewThread { self.serve(client, serverPort: serverPort, decide: decide) }
            }
        }
    }

    deinit {
        shutdown(descriptor, Int32(SHUT_RDWR))
        close(descriptor)
    }

    /// The heads of all requests so far.
    package var heads: [String] { seen.withLock { $0 } }

    private func serve(_ client: Int32, serverPort: Int, decide: (String, Int) -> Action) {
        defer { close(client) }
        guard let (head, rest) = FaultyProxy.readHead(client) else { return }
        let line = head.prefix { $0 != "\r\n" }
        let repetition = seen.withLock { seen in
            defer { seen.append(head) }
            return seen.count { $0.hasPrefix(line) }
        }
        let action = decide(head, repetition)
        switch action {
        case .answer(let status, let headers, let body):
            // The request's body is taken first, so that the client sees the answer and not a broken connection.
            FaultyProxy.drain(client, head: head, already: rest.count)
            let text =
                "HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\(headers)\r\n\(body)"
            _ = FaultyProxy.send(Array(text.utf8)[...], to: client)
        case .stall:
            FaultyProxy.drain(client, head: head, already: rest.count)
            _ = FaultyProxy.receive(client)
        case .relay: FaultyProxy.relay(client, serverPort, head, rest, upLimit: .max, downLimit: .max)
        case .cutRequest(let limit): FaultyProxy.relay(client, serverPort, head, rest, upLimit: limit, downLimit: .max)
        case .cutAnswer(let limit): FaultyProxy.relay(client, serverPort, head, rest, upLimit: .max, downLimit: limit)
        }
    }

    private static func readHead(_ client: Int32) -> (head: String, rest: ArraySlice<UInt8>)? {
        var bytes: [UInt8] = []
        while bytes.count < 65_536 {
            guard let more = receive(client) else { return nil }
            bytes += more
            if let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) {
                return (String(decoding: bytes[..<end.upperBound], as: UTF8.self), bytes[end.upperBound...])
            }
        }
        return nil
    }

    private static func drain(_ client: Int32, head: String, already: Int) {
        let length = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
        var left = (length.flatMap { Int($0.split(separator: " ").last ?? "") } ?? 0) - already
        while left > 0, let more = receive(client) { left -= more.count }
    }

    private static func relay(
        _ client: Int32, _ serverPort: Int, _ head: String, _ rest: ArraySlice<UInt8>, upLimit: Int, downLimit: Int
    ) {
        guard let server = LoopbackSocket.connect(port: serverPort) else { return }
        defer { close(server) }
        // One request a connection, so that each can be counted and spoiled.
        let lines = head.dropLast() + "Connection: close\r\n\r\n"
        var (up, down) = (0, 0)
        guard send(Array(lines.utf8)[...], to: server), pass(rest, to: server, &up, limit: upLimit) else { return }
        while true {
            var waiting = [
                pollfd(fd: client, events: Int16(POLLIN), revents: 0),
                pollfd(fd: server, events: Int16(POLLIN), revents: 0),
            ]
            guard unsafe poll(&waiting, 2, 30_000) > 0 else { return }
            if waiting[1].revents != 0 {
                guard down < downLimit, let bytes = receive(server),
                    pass(bytes[...], to: client, &down, limit: downLimit)
                else { return }
            } else {
                guard let bytes = receive(client), pass(bytes[...], to: server, &up, limit: upLimit) else { return }
            }
        }
    }

    private static func pass(_ bytes: ArraySlice<UInt8>, to end: Int32, _ count: inout Int, limit: Int) -> Bool {
        let part = bytes.prefix(limit - count)
        count += part.count
        return send(part, to: end) && part.count == bytes.count
    }

    private static func receive(_ end: Int32) -> [UInt8]? {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        let count = unsafe chunk.withUnsafeMutableBytes { unsafe recv(end, $0.baseAddress, $0.count, 0) }
        return count > 0 ? Array(chunk[..<count]) : nil
    }

    private static func send(_ bytes: ArraySlice<UInt8>, to end: Int32) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes {
                unsafe Glibc.send(end, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}
