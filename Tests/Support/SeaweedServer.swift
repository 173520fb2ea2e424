import Glibc
import Synchronization

/// SeaweedFS, an S3 server that checks signatures, with http and https.
package final class SeaweedServer: Sendable {
    package static let accessKeyID = "AKIDTEST"
    package static let secret = "SECRET/of+the test"
    package static let bucket = "tests"
    /// An identity that may only read and list; it has the same secret.
    package static let readerAccessKeyID = "AKIDREADER"

    package let httpPort: Int
    package let httpsPort: Int
    /// The certificate of the authority that signed the server's, which is for `localhost` only.
    package let authorityFile: String

    private let ports: [Int]
    private let folder: String
    private let running: Mutex<WatchedServer?> = Mutex(nil)

    /// One server for the whole run of the tests, started by the first that asks for it.
    package static func shared() throws -> SeaweedServer { try starting.get() }

    private static let starting = Result { try SeaweedServer() }

    /// Starts a server for one test, with the bucket `tests`; it takes some seconds.
    package init() throws {
        folder = try WatchedServer.makeFolder()
        try Program.check("/bin/mkdir", [folder + "/data"])
        try Certificates.make(in: folder)
        try Program.check("/usr/bin/tee", [folder + "/s3.json"], input: Array(Self.identities.utf8))
        ports = LoopbackSocket.freePorts(5)
        (httpPort, httpsPort) = (ports[3], ports[4])
        authorityFile = folder + "/ca.pem"
        try start()
    }

    deinit {
        kill()
        _ = try? Program.run("/bin/rm", ["-rf", folder])
    }

    /// Ends the server as a crash would; its data stay.
    package func kill() {
        let server = running.withLock { server in
            defer { server = nil }
            return server
        }
        server?.kill()
    }

    /// Starts a server that was killed, on the same ports, and waits until it takes objects.
    package func start() throws {
        let sockets = (ports + ports.map { $0 + 10_000 }).flatMap { port in
            ["master", "volume", "filer", "s3"].flatMap { name in
                ["/tmp/seaweedfs-\(name)-\(port).sock", "/tmp/seaweedfs-\(name)-grpc-\(port).sock"]
            }
        }
        let server = try WatchedServer(arguments(), folder: folder, leftovers: sockets)
        running.withLock { $0 = server }
        try waitUntilReady()
    }

    /// The URL of a target here.
    package func url(prefix: String) -> String { "s3://\(Self.bucket)/\(prefix)" }

    /// What to set for a target here.
    /// - Parameter isEncrypted: whether https is spoken.
    package func settings(isEncrypted: Bool = true) -> [String: String] {
        [
            "endpoint": isEncrypted ? "https://localhost:\(httpsPort)" : "http://127.0.0.1:\(httpPort)",
            "access_key_id": Self.accessKeyID, "secret_access_key": Self.secret, "ca_file": authorityFile,
        ]
    }

    /// Runs `rclone` on this server; its remote is called `place`, and the bucket is its first folder.
    /// - Throws: also when its exit code is not 0.
    @discardableResult
    package func rclone(_ arguments: String..., input: [UInt8] = []) throws -> String {
        let variables = [
            "TYPE": "s3", "PROVIDER": "Other", "ACCESS_KEY_ID": Self.accessKeyID, "SECRET_ACCESS_KEY": Self.secret,
            "ENDPOINT": "http://127.0.0.1:\(httpPort)",
        ]
        let environment = Dictionary(uniqueKeysWithValues: variables.map { ("RCLONE_CONFIG_PLACE_" + $0, $1) })
        let options = ["--config", "/dev/null", "--retries", "1", "--low-level-retries", "1"]
        return try Program.check(
            StorageTools.program("rclone"), options + arguments, environment: environment, input: input)
    }

    private func arguments() throws -> [String] {
        [
            try StorageTools.program("weed"), "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-dir=\(folder)/data",
            "-volume.max=300", "-master.volumeSizeLimitMB=1024", "-master.port=\(ports[0])",
            "-volume.port=\(ports[1])", "-filer", "-filer.port=\(ports[2])", "-s3", "-s3.port=\(httpPort)",
            "-s3.port.https=\(httpsPort)", "-s3.port.iceberg=0", "-s3.port.lance=0",
            "-s3.cert.file=\(folder)/server.pem", "-s3.key.file=\(folder)/server.key",
            "-s3.config=\(folder)/s3.json",
        ]
    }

    /// The first PUT succeeds some seconds after the port is open.
    private func waitUntilReady() throws {
        try LoopbackSocket.waitForListener(port: httpPort)
        var last: (any Error)?
        try Waiting.until("an object is taken: \(last.map { "\($0)" } ?? "")", pause: 100) {
            do {
                try rclone("mkdir", "place:\(Self.bucket)")
                try rclone("rcat", "place:\(Self.bucket)/ready", input: [1])
                return true
            } catch {
                last = error
                return false
            }
        }
    }

    private static let identities = """
        {"identities":[{"name":"tests","credentials":[{"accessKey":"\(accessKeyID)","secretKey":"\(secret)"}],
        "actions":["Admin","Read","Write","List","Tagging"]},
        {"name":"reader","credentials":[{"accessKey":"\(readerAccessKeyID)","secretKey":"\(secret)"}],
        "actions":["Read","List"]}]}
        """
}

/// The servers and clients of storage that `scripts/setup storage` brings.
package enum StorageTools {
    /// The path of a program.
    /// - Throws: when it is missing, with the command that fetches it.
    package static func program(_ name: String) throws -> String {
        let path = "\(PostgresVersions.tools)/bin/\(name)"
        guard unsafe access(path, X_OK) == 0 else {
            throw ProgramError(description: "\(path) is missing; type: scripts/setup storage")
        }
        return path
    }
}
