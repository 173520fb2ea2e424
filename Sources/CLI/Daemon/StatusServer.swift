import BackupEngine
import FlyingFox
import FlyingSocks

/// Serves `/metrics` and the status page.
struct StatusServer: Sendable {
    private static let policy = "default-src 'none'; style-src 'unsafe-inline'"
    let configuration: Configuration
    let state: DaemonState

    /// Serves until the task is cancelled.
    /// - Throws: when the port cannot be had.
    func run() async throws {
        let port = UInt16(clamping: configuration.global.metricsPort)
        let host =
            switch configuration.global.host {
            case "*": "0.0.0.0"
            case "localhost", "": "127.0.0.1"
            case let address: address
            }
        let server =
            host.contains(":")
            ? HTTPServer(address: try .inet6(ip6: host, port: port), logger: .disabled)
            : HTTPServer(address: try .inet(ip4: host, port: port), logger: .disabled)
        let state = state
        await server.appendRoute("GET /metrics") { _ in
            HTTPResponse(
                statusCode: .ok, headers: HTTPHeaders([.contentType: "text/plain; version=0.0.4; charset=utf-8"]),
                body: .init(Metrics(state: state).text.utf8))
        }
        await server.appendRoute("GET /") { _ in
            HTTPResponse(
                statusCode: .ok,
                headers: HTTPHeaders([
                    .contentType: "text/html; charset=utf-8", HTTPHeader("Content-Security-Policy"): Self.policy,
                ]),
                body: .init(StatusPage(state: state).html.utf8))
        }
        try await server.run()
    }
}
