package import BackupEngine
import Glibc

/// Asks the daemon over its socket: HTTP/1.1 (RFC 9112), one request for each connection.
package struct DaemonClient: Sendable {
    /// What can be asked.
    package enum Request: Sendable {
        case report, shutdown, reload
        /// Whether the daemon works for a server; false leaves it alone.
        case mode(server: String, isOnline: Bool)

        fileprivate var line: String {
            switch self {
            case .report: "GET /report"
            case .shutdown: "POST /shutdown"
            case .reload: "POST /reload"
            case .mode(let server, let isOnline):
                "POST /mode?online=\(isOnline ? 1 : 0)&server=\(Self.escaped(server))"
            }
        }

        /// Every byte as RFC 3986 escapes it, so that none needs a thought.
        private static func escaped(_ text: String) -> String {
            text.utf8.map { "%" + ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }.joined()
        }
    }

    private static let mostByteCount = 16 << 20
    private static let secondsToWait = 10
    private let path: String

    /// - Parameter path: the socket's.
    package init(path: String) { self.path = path }

    /// Whether a program listens there, whatever it would answer.
    package var isTaken: Bool {
        let (descriptor, fault) = opened()
        if fault == 0 { close(descriptor) }
        // One that is too busy to take a connection is there all the same.
        return fault == 0 || fault == EAGAIN
    }

    /// The answer's body.
    /// - Throws: `.daemonAbsent` when no daemon answers there.
    package func ask(_ request: Request) throws -> [UInt8] {
        let descriptor = try connect()
        defer { close(descriptor) }
        try send(Array("\(request.line) HTTP/1.1\r\nHost: daemon\r\nConnection: close\r\n\r\n".utf8), descriptor)
        let answer = try receive(descriptor)
        let end = Array("\r\n\r\n".utf8)
        guard answer.starts(with: "HTTP/1.1 200".utf8), let head = answer.firstRange(of: end) else {
            throw absent("its answer cannot be understood")
        }
        return Array(answer[head.upperBound...])
    }

    private func connect() throws -> Int32 {
        let (descriptor, fault) = opened()
        guard fault == 0 else { throw absent(unsafe String(cString: strerror(fault))) }
        return descriptor
    }

    /// A connection, or `errno` of why there is none.
    private func opened() -> (descriptor: Int32, fault: Int32) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return (-1, ENAMETOOLONG) }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var limit = timeval(tv_sec: Self.secondsToWait, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            unsafe setsockopt(descriptor, SOL_SOCKET, option, &limit, size)
        }
        // Sound: the address lives for the call.
        let code = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard code == 0 else {
            let fault = errno
            close(descriptor)
            return (-1, fault)
        }
        return (descriptor, 0)
    }

    private func send(_ bytes: [UInt8], _ descriptor: Int32) throws {
        // Sound: the bytes live for the call.
        let count = unsafe bytes.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
        guard count == bytes.count else { throw absent(unsafe String(cString: strerror(errno))) }
    }

    private func receive(_ descriptor: Int32) throws -> [UInt8] {
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0, answer.count <= Self.mostByteCount else {
                throw absent(unsafe String(cString: strerror(errno)))
            }
            if count == 0 { return answer }
            answer += buffer[..<count]
        }
    }

    private func absent(_ why: String) -> CommandError {
        CommandError(
            .daemonAbsent, "no daemon answers at '\(path)' (\(why))",
            remedy:
                "Start 'pgmoneta' with this configuration, as the same user; 'unix_socket_dir' says where its socket is."
        )
    }
}

extension Session {
    /// Where the daemon of a configuration listens.
    package func daemonSocket(_ configuration: Configuration) throws(CommandError) -> String {
        if let folder = configuration.global.unixSocketDirectory { return folder + "/.s.pgmoneta" }
        guard let home = environment["HOME"], home.hasPrefix("/") else {
            throw CommandError(
                .daemonAbsent, "there is no place for the daemon's socket: the home directory is not known",
                remedy: "Set HOME, or 'unix_socket_dir' in [pgmoneta].")
        }
        return home + "/.pgmoneta/.s.pgmoneta"
    }
}
