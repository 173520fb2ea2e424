import BackupAPI
import Codecs
import Glibc
import TestSupport

@testable import S3Backend

/// One `rclone serve s3` for the whole run of the tests: a server that ignores `If-None-Match`, answers ranges with
/// status 200, and lists by bytes. It ends with this process.
struct RcloneServer: Sendable {
    static let bucket = "tests"

    let port: Int

    /// The server, started by the first test that asks for it.
    static func shared() async throws -> RcloneServer { try await starting.value }

    private static let starting = Task { try await RcloneServer.start() }

    /// Opens a target.
    func backend(prefix: String, changes: [String: String] = [:]) async throws -> any StorageBackend {
        var values = [
            "endpoint": "http://127.0.0.1:\(port)", "access_key_id": "AKIDTEST", "secret_access_key": "SECRETTEST",
        ]
        values.merge(changes) { _, new in new }
        let settings = TargetSettings(
            location: try TargetLocation("s3://\(RcloneServer.bucket)/\(prefix)"),
            values: values.mapValues { Secret($0) })
        return try await S3BackendFactory.factory(cryptography: OpenSSLCryptography()).open(settings)
    }

    private static func start() async throws -> RcloneServer {
        let program = SeaweedServer.packageFolder + "/.tools/bin/rclone"
        guard unsafe access(program, X_OK) == 0 else {
            throw Program.Fault(description: "\(program) is missing; run: scripts/setup storage")
        }
        let folder = try WatchedProgram.makeFolder()
        guard unsafe mkdir("\(folder)/data/\(bucket)", 0o700) == 0 else {
            throw Program.Fault(description: "no bucket")
        }
        let port = LoopbackSocket.freePorts(1)[0]
        try WatchedProgram.start(
            [
                program, "serve", "s3", "--config", "/dev/null", "--addr", "127.0.0.1:\(port)", "--auth-key",
                "AKIDTEST,SECRETTEST", folder + "/data",
            ], folder: folder)
        for _ in 0..<100 {
            if let descriptor = LoopbackSocket.connect(port: port) {
                close(descriptor)
                return RcloneServer(port: port)
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw Program.Fault(description: "rclone did not start")
    }
}
