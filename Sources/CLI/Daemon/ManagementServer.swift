import BackupCLI
import BackupEngine
import FlyingFox
import FlyingSocks
import Glibc

/// Answers `pgmoneta-cli` over a socket that only the daemon's user may open.
struct ManagementServer: Sendable {
    let path: String
    let state: DaemonState
    /// Called when the daemon is asked to end, or to read its configuration again.
    let asked: @Sendable (DaemonEvent) -> Void

    /// - Throws: when another daemon has the socket.
    func requireAlone() throws(CommandError) {
        guard !DaemonClient(path: path).isTaken else {
            throw CommandError(
                .fileFailed, "another daemon listens at '\(path)'",
                remedy: "End it with 'pgmoneta-cli shutdown', or give this one a 'unix_socket_dir' of its own.")
        }
    }

    /// Serves until the task is cancelled.
    /// - Throws: when the socket cannot be had.
    func run() async throws {
        let folder = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[..<$0]) } ?? "."
        _ = unsafe mkdir(folder, 0o700)
        // What a killed daemon left.
        _ = unsafe unlink(path)
        let server = HTTPServer(address: .unix(path: path), logger: .disabled)
        let (state, asked) = (state, asked)
        await server.appendRoute("GET /report") { _ in
            HTTPResponse(statusCode: .ok, body: try state.report.json())
        }
        await server.appendRoute("POST /reload") { _ in
            asked(.reload)
            return HTTPResponse(statusCode: .ok)
        }
        await server.appendRoute("POST /mode") { request in
            guard let name = request.query["server"], state.all.contains(where: { $0.name == name }) else {
                return HTTPResponse(statusCode: .notFound)
            }
            state.setMode(name, isOnline: request.query["online"] == "1")
            asked(.changeMode)
            return HTTPResponse(statusCode: .ok)
        }
        await server.appendRoute("POST /shutdown") { _ in
            // The answer must be on its way before the socket is closed.
            Task {
                try await Task.sleep(for: .milliseconds(100))
                asked(.stop)
            }
            return HTTPResponse(statusCode: .ok)
        }
        defer { _ = unsafe unlink(path) }
        try await server.run()
    }
}

extension DaemonState {
    /// What `pgmoneta-cli` is told.
    fileprivate var report: DaemonReport {
        let receivers = all.compactMap { server in
            server.receiver.map { receiver in
                DaemonReport.Receiver(
                    server: server.name, isStreaming: receiver.isStreaming, timeline: receiver.timeline,
                    received: "\(receiver.received)", safe: "\(receiver.safe)", archived: receiver.archived,
                    waitingCount: receiver.waitingCount, waitingByteCount: receiver.waitingByteCount,
                    gapCount: receiver.gapCount,
                    faults: [receiver.streamFault, receiver.uploadFault].compactMap(\.self))
            }
        }
        return DaemonReport(
            version: ProgramVersion.text, process: getpid(), uptimeInSeconds: time(nil) - startedAt,
            receivers: receivers, offline: all.map(\.name).filter { !isOnline($0) })
    }
}
