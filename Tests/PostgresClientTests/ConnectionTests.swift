import Glibc
import PostgresClient
import TestSupport
import Testing

extension ServerTests {
    @Suite struct ConnectionTests {
        private func failure(
            _ settings: ConnectionSettings, isReplication: Bool = false
        ) async throws -> PostgresError {
            try await onThreads {
                try await #require(throws: PostgresError.self) {
                    if isReplication {
                        _ = try await ReplicationSession.open(settings)
                    } else {
                        _ = try await PostgresSession.open(settings)
                    }
                }
            }
        }

        @Test(arguments: try PostgresVersions.installed)
        func `a wrong password is named, but not shown`(major: Int) async throws {
            let cluster = try PostgresCluster.start(major)
            try cluster.psql("CREATE ROLE bob LOGIN REPLICATION PASSWORD 'right'")

            let error = try await failure(cluster.networkSettings(user: "bob", password: "wr0ng-s3cret"))

            #expect(error.code == "postgres-authentication-failed")
            #expect(error.sqlState == "28P01")
            #expect(error.remedy.contains("pgmoneta-admin user add"))
            #expect(!"\(error) \(error.remedy) \(String(reflecting: error))".contains("wr0ng-s3cret"))
        }

        @Test func `a missing password is named`() async throws {
            let cluster = try PostgresCluster.start(15)
            var settings = cluster.networkSettings(user: "postgres", password: nil)
            settings.passFile = "/nonexistent"

            let error = try await failure(settings, isReplication: true)

            #expect(error.reason == .authenticationFailed)
            #expect(error.remedy.contains(".pgpass"))
        }

        @Test func `the right password opens both kinds of session`() async throws {
            let cluster = try PostgresCluster.start(17)
            try cluster.psql("CREATE ROLE bob LOGIN REPLICATION PASSWORD 'right'")
            let settings = cluster.networkSettings(user: "bob", password: "right")

            try await onThreads {
                let plain = try await PostgresSession.open(settings)
                let replication = try await ReplicationSession.open(settings)
                #expect(try await plain.query("SELECT current_user") == [["bob"]])
                #expect(replication.serverVersion.major == 17)
            }
        }

        @Test func `a port where nobody listens is refused`() async throws {
            let cluster = try PostgresCluster.start(15)
            let settings = cluster.networkSettings(user: "postgres", password: nil)
            try cluster.stop()

            let error = try await failure(settings)

            #expect(error.reason == .connectionRefused)
            #expect(error.mayRetry)
            #expect(error.summary.contains("'127.0.0.1:\(cluster.port)'"))
        }

        @Test func `a socket folder without a server is refused`() async throws {
            #expect(
                try await failure(ConnectionSettings(host: "/nonexistent", port: 5432)).reason == .connectionRefused)
        }

        @Test func `an unknown host is named`() async throws {
            let error = try await failure(ConnectionSettings(host: "no-such-host.invalid", port: 5432))

            #expect(error.reason == .noSuchHost)
            #expect(error.remedy.contains("getent hosts"))
        }

        @Test func `a server that says nothing is given up in time`() async throws {
            let silent = try SilentServer()
            let settings = ConnectionSettings(
                host: "127.0.0.1", port: silent.port, connectTimeLimit: .milliseconds(200))

            #expect(try await failure(settings).reason == .timedOut)
        }

        @Test func `a connection attempt can be cancelled`() async throws {
            let silent = try SilentServer()
            let settings = ConnectionSettings(host: "127.0.0.1", port: silent.port, connectTimeLimit: .seconds(60))
            let begin = ContinuousClock.now

            let task = Task(executorPreference: ThreadPerJob()) { try await PostgresSession.open(settings) }
            silent.waitForClient()
            task.cancel()
            let error = await #expect(throws: PostgresError.self) { try await task.value }

            #expect(error?.reason == .cancelled)
            #expect(.now - begin < .seconds(20))
        }

        @Test(arguments: try PostgresVersions.installed)
        func `a role without the replication attribute is told how to get it`(major: Int) async throws {
            let cluster = try PostgresCluster.start(major)
            try cluster.psql("CREATE ROLE bob LOGIN PASSWORD 'right'")

            let error = try await failure(cluster.networkSettings(user: "bob", password: "right"), isReplication: true)

            #expect(error.reason == .permission)
            #expect(error.remedy == "Run as a superuser: ALTER ROLE \"bob\" REPLICATION;")
        }

        @Test func `a missing line in pg_hba dot conf is spelled out`() async throws {
            let cluster = try PostgresCluster.start(17, accessRules: ["host replication all 127.0.0.1/32 reject"])
            try cluster.psql("CREATE ROLE bob LOGIN REPLICATION PASSWORD 'right'")

            let error = try await failure(cluster.networkSettings(user: "bob", password: "right"), isReplication: true)

            #expect(error.reason == .permission)
            #expect(error.remedy.contains("'host replication bob ADDRESS/32 scram-sha-256'"))
        }

        @Test(arguments: try PostgresVersions.installed)
        func `a server with wal_level minimal is told what to set`(major: Int) async throws {
            var settings = ["wal_level": "minimal", "max_wal_senders": "0"]
            if major >= 17 { settings["summarize_wal"] = "off" }
            let cluster = try PostgresCluster.start(major, settings: settings)

            let error = try await failure(cluster.settings, isReplication: true)

            #expect(error.reason == .walLevel)
            #expect(error.remedy.contains("ALTER SYSTEM SET wal_level = 'replica'"))
        }

        @Test func `a server without free WAL senders is told what to set`() async throws {
            let cluster = try PostgresCluster.start(16, settings: ["max_wal_senders": "1"])

            try await onThreads {
                let first = try await ReplicationSession.open(cluster.settings)
                let error = try await #require(throws: PostgresError.self) {
                    _ = try await ReplicationSession.open(cluster.settings)
                }
                #expect(error.reason == .tooManyConnections)
                #expect(error.remedy.contains("max_wal_senders"))
                first.close()
            }
        }

        @Test func `a server without TLS is refused where TLS is demanded`() async throws {
            let cluster = try PostgresCluster.start(15)
            var settings = cluster.networkSettings(user: "postgres", password: "x")
            settings.tlsMode = .require

            #expect(try await failure(settings).reason == .tls)
        }
    }
}

/// Accepts a connection, as the system does for every listening socket, and never says a word.
final class SilentServer {
    let port: Int
    private let descriptor: Int32

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let code = unsafe withUnsafeMutableBytes(of: &address) { bytes in
            let pointer = unsafe bytes.assumingMemoryBound(to: sockaddr.self).baseAddress
            guard unsafe bind(descriptor, pointer, size) == 0, listen(descriptor, 5) == 0 else { return Int32(-1) }
            return unsafe getsockname(descriptor, pointer, &size)
        }
        guard code == 0 else { throw ProgramError(description: "cannot listen (errno \(errno))") }
        port = Int(UInt16(bigEndian: address.sin_port))
    }

    /// Returns when a client has connected.
    func waitForClient() {
        var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        _ = unsafe poll(&watched, 1, 30_000)
    }

    deinit { close(descriptor) }
}
