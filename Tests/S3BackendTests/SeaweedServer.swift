import BackupAPI
import Codecs
import Glibc
import TestSupport

@testable import S3Backend

/// One SeaweedFS for the whole run of the tests, with http and https; it ends with this process, however that ends.
struct SeaweedServer: Sendable {
    static let accessKeyID = "AKIDTEST"
    static let secret = "SECRET/of+the test"
    static let bucket = "tests"

    let httpPort: Int
    let httpsPort: Int
    /// The certificate of the authority that signed the server's, which is for `localhost` only.
    let authorityFile: String

    /// The server, started by the first test that asks for it.
    static func shared() async throws -> SeaweedServer { try await starting.value }

    private static let starting = Task { try await SeaweedServer.start() }

    /// What to set for a target on it.
    /// - Parameter changes: replace or (nil) remove settings.
    func settings(
        prefix: String, isEncrypted: Bool = true, changes: [String: String?] = [:]
    ) throws -> TargetSettings {
        var values: [String: String] = [
            "endpoint": isEncrypted ? "https://localhost:\(httpsPort)" : "http://127.0.0.1:\(httpPort)",
            "access_key_id": SeaweedServer.accessKeyID, "secret_access_key": SeaweedServer.secret,
            "ca_file": authorityFile,
        ]
        for (name, value) in changes { values[name] = value }
        return TargetSettings(
            location: try TargetLocation("s3://\(SeaweedServer.bucket)/\(prefix)"),
            values: values.mapValues { Secret($0) }, environment: ["AWS_EC2_METADATA_DISABLED": "true"])
    }

    /// Opens a target as a program does.
    func backend(
        prefix: String, isEncrypted: Bool = true, changes: [String: String?] = [:],
        now: (@Sendable () -> Int)? = nil
    ) async throws -> any StorageBackend {
        let settings = try settings(prefix: prefix, isEncrypted: isEncrypted, changes: changes)
        let cryptography = OpenSSLCryptography()
        let factory =
            now.map { S3BackendFactory.factory(cryptography: cryptography, now: $0) }
            ?? S3BackendFactory.factory(cryptography: cryptography)
        return try await factory.open(settings)
    }

    /// Opens a target through a proxy, with short pauses between tries.
    func backend(prefix: String, through proxy: FaultyProxy, partByteCount: Int = 5 << 20) async throws -> S3Backend {
        let settings = try settings(
            prefix: prefix, isEncrypted: false, changes: ["endpoint": "http://127.0.0.1:\(proxy.port)"])
        let profile = SharedProfile(name: nil, environment: [:])
        var configuration = try S3Settings.configuration(settings, profile: profile)
        configuration.backoff.firstPauseInMilliseconds = 5
        configuration.backoff.longestPauseInMilliseconds = 50
        configuration.partByteCount = partByteCount
        return S3BackendFactory.makeBackend(
            configuration, settings: settings, profile: profile, cryptography: OpenSSLCryptography(),
            now: { Timestamp.current().seconds })
    }

    static let packageFolder = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }

    private static func start() async throws -> SeaweedServer {
        let program = packageFolder + "/.tools/bin/weed"
        guard unsafe access(program, X_OK) == 0 else {
            throw Program.Fault(description: "\(program) is missing; run: scripts/setup storage")
        }
        let folder = try WatchedProgram.makeFolder()
        try Certificates.make(in: folder)
        try WatchedProgram.write(identities, to: folder + "/s3.json")
        let ports = LoopbackSocket.freePorts(5)
        let arguments: [String] = [
            program, "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-dir=\(folder)/data", "-volume.max=300",
            "-master.volumeSizeLimitMB=1024", "-master.port=\(ports[0])", "-volume.port=\(ports[1])", "-filer",
            "-filer.port=\(ports[2])", "-s3", "-s3.port=\(ports[3])", "-s3.port.https=\(ports[4])",
            "-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.cert.file=\(folder)/server.pem",
            "-s3.key.file=\(folder)/server.key", "-s3.config=\(folder)/s3.json",
        ]
        let sockets = (ports + ports.map { $0 + 10_000 }).flatMap { port in
            ["master", "volume", "filer", "s3"].flatMap { name in
                ["/tmp/seaweedfs-\(name)-\(port).sock", "/tmp/seaweedfs-\(name)-grpc-\(port).sock"]
            }
        }
        try WatchedProgram.start(arguments, folder: folder, leftovers: sockets)
        let server = SeaweedServer(httpPort: ports[3], httpsPort: ports[4], authorityFile: folder + "/ca.pem")
        try await server.waitUntilReady()
        return server
    }

    /// The first PUT succeeds some seconds after the port is open.
    private func waitUntilReady() async throws {
        var lastError: any Error = Program.Fault(description: "the server did not start")
        for _ in 0..<300 {
            do {
                let backend = try await backend(prefix: "ready", isEncrypted: false)
                try await backend.put(ObjectKey("object"), bytes: [1])
                return
            } catch {
                lastError = error
                try await Task.sleep(for: .milliseconds(200))
            }
        }
        throw lastError
    }

    private static let identities = """
        {"identities":[{"name":"tests","credentials":[{"accessKey":"\(accessKeyID)","secretKey":"\(secret)"}],
        "actions":["Admin","Read","Write","List","Tagging"]},
        {"name":"reader","credentials":[{"accessKey":"AKIDREADER","secretKey":"\(secret)"}],"actions":["Read","List"]}]}
        """
}
