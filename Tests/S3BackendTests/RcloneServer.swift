import BackupAPI
import Codecs
import TestSupport

@testable import S3Backend

/// One `rclone serve s3` for the whole run of the tests: a server that ignores `If-None-Match`, answers ranges with
/// status 200, and lists by bytes. It ends with this process.
final class RcloneServer: Sendable {
    static let bucket = "tests"

    let port: Int
    private let server: WatchedServer

    /// The server, started by the first test that asks for it.
    static func shared() throws -> RcloneServer { try starting.get() }

    private static let starting = Result { try RcloneServer() }

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

    private init() throws {
        let folder = try WatchedServer.makeFolder()
        try Program.check("/bin/mkdir", ["-p", "\(folder)/data/\(Self.bucket)"])
        port = LoopbackSocket.freePorts(1)[0]
        server = try WatchedServer(
            [
                StorageTools.program("rclone"), "serve", "s3", "--config", "/dev/null", "--addr", "127.0.0.1:\(port)",
                "--auth-key", "AKIDTEST,SECRETTEST", folder + "/data",
            ], folder: folder)
        try LoopbackSocket.waitForListener(port: port)
    }
}
