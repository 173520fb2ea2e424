import PostgresClient
import TestSupport
import Testing

extension ServerTests {
    @Suite struct ClusterTests {
        @Test(arguments: try PostgresVersions.installed)
        func `a server of every supported version starts, crashes and starts again`(major: Int) throws {
            let cluster = try PostgresCluster.start(major)

            #expect(try cluster.psql("SHOW server_version_num").hasPrefix("\(major)"))
            try cluster.restart(.immediate)
            #expect(try cluster.psql("SELECT 1") == "1")
            cluster.crash()
            #expect(throws: ProgramError.self) { try cluster.psql("SELECT 1") }
        }

        @Test func `a version without client programs borrows those of 15`() throws {
            let cluster = try PostgresCluster.start(14)

            let version = try Program.check(cluster.bin("pg_basebackup"), ["--version"])

            #expect(version.contains(" 15."))
            #expect(try cluster.features.baseBackupCompressions == [])
        }
    }
}

extension PostgresCluster {
    /// How the client reaches this server through its socket, without a password.
    var settings: ConnectionSettings {
        ConnectionSettings(host: socketFolder, port: port, user: superuser, database: "postgres")
    }

    /// How the client reaches this server over TCP, which needs a password.
    func networkSettings(user: String, password: String?) -> ConnectionSettings {
        ConnectionSettings(
            host: "127.0.0.1", port: port, user: user, database: "postgres",
            password: password.map { PostgresPassword($0) })
    }
}
