/// How to reach a server. What is nil is left to libpq: the `PG…` environment variables, the service file, `.pgpass`, and its
/// built-in defaults (PostgreSQL chapter "libpq: Database Connection Control Functions").
package struct ConnectionSettings: Sendable, Hashable {
    /// How much TLS is demanded, as libpq's `sslmode`.
    package enum TLSMode: String, Sendable, Hashable, CaseIterable {
        case disable, allow, prefer, require
        case verifyCA = "verify-ca"
        case verifyFull = "verify-full"
    }

    /// When a silent TCP connection is given up.
    package struct Keepalives: Sendable, Hashable {
        /// Seconds of silence before the first probe.
        package var idleInSeconds: Int
        /// Seconds between probes.
        package var intervalInSeconds: Int
        /// Probes without an answer before the connection counts as lost.
        package var count: Int

        /// Makes settings; as they stand, a dead server is noticed after two minutes.
        package init(idleInSeconds: Int = 60, intervalInSeconds: Int = 10, count: Int = 6) {
            self.idleInSeconds = idleInSeconds
            self.intervalInSeconds = intervalInSeconds
            self.count = count
        }
    }

    /// A host name, an address, or a folder with a Unix socket when it begins with `/`.
    package var host: String?
    /// The port.
    package var port: Int?
    /// The role.
    package var user: String?
    /// The database of a plain session; replication needs none.
    package var database: String?
    /// The password, where libpq shall not look for one.
    package var password: PostgresPassword?
    /// A file in the format of `.pgpass`.
    package var passFile: String?
    /// A name in the connection service file.
    package var service: String?
    /// How much TLS is demanded.
    package var tlsMode: TLSMode?
    /// The file of the certificate authorities that the server's certificate must come from.
    package var tlsRootCertificate: String?
    /// The file of the client's certificate.
    package var tlsCertificate: String?
    /// The file of the client's private key.
    package var tlsKey: String?
    /// What the server shows of us in `pg_stat_activity`.
    package var applicationName: String
    /// Limit for connecting and logging in. Looking up the host's name is limited by the resolver alone.
    package var connectTimeLimit: Duration
    /// When a silent TCP connection is given up.
    package var keepalives: Keepalives?

    /// Makes settings.
    package init(
        host: String? = nil, port: Int? = nil, user: String? = nil, database: String? = nil,
        password: PostgresPassword? = nil, passFile: String? = nil, service: String? = nil, tlsMode: TLSMode? = nil,
        tlsRootCertificate: String? = nil, tlsCertificate: String? = nil, tlsKey: String? = nil,
        applicationName: String = "pgmoneta", connectTimeLimit: Duration = .seconds(30),
        keepalives: Keepalives? = Keepalives()
    ) {
        self.host = host
        self.port = port
        self.user = user
        self.database = database
        self.password = password
        self.passFile = passFile
        self.service = service
        self.tlsMode = tlsMode
        self.tlsRootCertificate = tlsRootCertificate
        self.tlsCertificate = tlsCertificate
        self.tlsKey = tlsKey
        self.applicationName = applicationName
        self.connectTimeLimit = connectTimeLimit
        self.keepalives = keepalives
    }

    /// The server in words, for people and logs.
    package var displayName: String {
        if host == nil, let service { return "service \(service)" }
        let name = host ?? "the local socket"
        return port.map { "\(name):\($0)" } ?? name
    }

    /// libpq's parameters by keyword. They go to libpq as a vector, never on a command line.
    func parameters(isReplication: Bool) -> [(keyword: String, value: String)] {
        let optional: [(String, String?)] = [
            ("host", host), ("port", port.map(String.init)), ("user", user),
            // libpq looks for this name in .pgpass; the server ignores it for physical replication.
            ("dbname", isReplication ? "replication" : database),
            ("replication", isReplication ? "true" : nil),
            ("password", password?.reveal()), ("passfile", passFile), ("service", service),
            ("sslmode", tlsMode?.rawValue), ("sslrootcert", tlsRootCertificate), ("sslcert", tlsCertificate),
            ("sslkey", tlsKey), ("application_name", applicationName),
            ("client_encoding", isReplication ? nil : "UTF8"),
            ("keepalives_idle", keepalives.map { String($0.idleInSeconds) }),
            ("keepalives_interval", keepalives.map { String($0.intervalInSeconds) }),
            ("keepalives_count", keepalives.map { String($0.count) }),
        ]
        return optional.compactMap { keyword, value in value.map { (keyword, $0) } }
    }
}
