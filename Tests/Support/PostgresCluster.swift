import Glibc

/// A real PostgreSQL cluster for one test, in a folder of its own, on a socket and a loopback port of its own.
///
/// Anybody may log in through the socket; over TCP a password is asked for (SCRAM). When the last reference goes, the server
/// is ended and the folder removed.
package final class PostgresCluster: Sendable {
    /// How `stop` ends a server.
    package enum StopMode: String, Sendable {
        /// Ends sessions, writes a checkpoint.
        case fast
        /// Ends as a crash would; the next start recovers.
        case immediate
    }

    /// The major version.
    package let major: Int
    /// The data folder.
    package let dataFolder: String
    /// The folder of the Unix socket, to be given as host.
    package let socketFolder: String
    /// The port, on the socket and on 127.0.0.1.
    package let port: Int
    /// The superuser's name.
    package let superuser = "postgres"
    private let folder: String
    private let account: ServerAccount
    private let programFolder: String

    /// Makes a cluster and starts it.
    /// - Parameters:
    ///   - settings: lines of `postgresql.conf`, beside and over the standard ones (replication allowed, no fsync).
    ///   - initdbArguments: such as `--wal-segsize=1`; data checksums are on when it is left out.
    ///   - accessRules: lines of `pg_hba.conf` that come before the standard ones.
    package static func start(
        _ major: Int, settings: [String: String] = [:], initdbArguments: [String] = ["--data-checksums"],
        accessRules: [String] = []
    ) throws -> PostgresCluster {
        let folder = try ScratchArea.current.makeFolder()
        let dataFolder = "\(folder)/data"
        try ScratchArea.current.makeDataFolder(dataFolder, major: major, initdbArguments: initdbArguments)
        let cluster = try PostgresCluster(major: major, folder: folder, dataFolder: dataFolder)
        try cluster.write(
            (accessRules + standardAccessRules).map { $0 + "\n" }.joined(), to: "\(dataFolder)/pg_hba.conf", mode: "w")
        try cluster.configureAndStart(settings)
        return cluster
    }

    /// Starts a server on a data folder that something else made, such as a restore. The folder is given to the server's user,
    /// and its `postgresql.auto.conf` gets the lines that make it run here; it is not removed at the end.
    package static func start(
        _ major: Int, onDataFolder dataFolder: String, settings: [String: String] = [:]
    ) throws -> PostgresCluster {
        let folder = try ScratchArea.current.makeFolder()
        let cluster = try PostgresCluster(major: major, folder: folder, dataFolder: dataFolder)
        try cluster.account.own(dataFolder)
        unsafe chmod(dataFolder, 0o700)
        try cluster.configureAndStart(settings)
        return cluster
    }

    private init(major: Int, folder: String, dataFolder: String) throws {
        self.major = major
        self.folder = folder
        self.dataFolder = dataFolder
        socketFolder = folder
        port = try Self.freePort()
        account = try ScratchArea.current.account.get()
        programFolder = try ScratchArea.current.programFolder(of: major)
    }

    deinit { remove() }

    /// Starts the server and waits until it accepts connections, or has ended.
    package func start() throws {
        let started = try account.run(
            "\(programFolder)/pg_ctl", ["-D", dataFolder, "-l", logFile, "-w", "-t", "120", "start"])
        guard started.status == 0 else {
            throw ProgramError(description: "PostgreSQL \(major) did not start: \(started.text)\(log)")
        }
    }

    /// Stops the server and waits for its end.
    package func stop(_ mode: StopMode = .fast) throws {
        try account.check("\(programFolder)/pg_ctl", ["-D", dataFolder, "-m", mode.rawValue, "-w", "stop"])
    }

    /// Stops and starts the server.
    package func restart(_ mode: StopMode = .fast) throws {
        try stop(mode)
        try start()
    }

    /// Ends the postmaster as a crash would. Its other processes notice and end too.
    package func crash() { ServerProcess(dataFolder: dataFolder)?.kill() }

    /// Stops all processes of the server while `body` runs, as a machine that is paused does: its connections stay open, new ones
    /// are taken by the system, and nothing answers. They go on after 20 seconds, so that what waits for them comes to an end.
    package func whileFrozen<Result>(_ body: () async throws -> Result) async throws -> Result {
        guard let server = ServerProcess(dataFolder: dataFolder) else {
            throw ProgramError(description: "the server does not run")
        }
        try server.freeze()
        defer { server.thaw() }
        async let _ = { @Sendable in
            try await Task.sleep(for: .seconds(20))
            server.thaw()
        }()
        return try await body()
    }

    /// Ends the server and removes the folder. Also done when the last reference goes.
    package func remove() {
        if let server = ServerProcess(dataFolder: dataFolder) {
            kill(server.process, SIGQUIT)
            while server.isRunning { usleep(2000) }
        }
        _ = try? Program.run("/bin/rm", ["-rf", folder])
    }

    /// What the server has logged.
    package var log: String { (try? Program.run("/bin/cat", [logFile]).text) ?? "" }

    /// The path of a PostgreSQL program of this version; of version 15 where this version comes without it.
    package func bin(_ name: String) throws -> String {
        let own = "\(programFolder)/\(name)"
        if unsafe access(own, X_OK) == 0 { return own }
        return try ScratchArea.current.programFolder(of: 15) + "/\(name)"
    }

    /// Runs SQL through `psql`.
    /// - Returns: the rows, a line each, fields separated by `|`; without the last line's end.
    /// - Throws: when a statement fails, with the server's words.
    @discardableResult
    package func psql(_ sql: String, database: String = "postgres") throws -> String {
        let arguments = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", socketFolder, "-p", "\(port)"]
        let text = try Program.check(
            bin("psql"), arguments + ["-U", superuser, "-d", database, "-f", "-"], input: Array(sql.utf8))
        return text.hasSuffix("\n") ? String(text.dropLast()) : text
    }

    private var logFile: String { "\(folder)/log" }

    private static let standardAccessRules = [
        "local all all trust",
        "local replication all trust",
        "host all all 127.0.0.1/32 scram-sha-256",
        "host replication all 127.0.0.1/32 scram-sha-256",
    ]

    private func configureAndStart(_ settings: [String: String]) throws {
        var all = [
            "listen_addresses": "127.0.0.1",
            "port": "\(port)",
            "unix_socket_directories": socketFolder,
            "wal_level": "replica",
            "max_wal_senders": "10",
            "max_replication_slots": "10",
            "max_connections": "30",
            "shared_buffers": "32MB",
            "fsync": "off",
        ]
        if major >= 17 { all["summarize_wal"] = "on" }
        all.merge(settings) { _, new in new }
        let lines = all.sorted { $0.key < $1.key }.map { "\($0.key) = '\($0.value)'\n" }
        try write("\n" + lines.joined(), to: "\(dataFolder)/postgresql.auto.conf", mode: "a")
        try start()
    }

    private func write(_ text: String, to path: String, mode: String) throws {
        guard let file = unsafe fopen(path, mode) else {
            throw ProgramError(description: "cannot write \(path) (errno \(errno))")
        }
        unsafe fputs(text, file)
        unsafe fclose(file)
        try account.own(path)
    }

    /// A port of this machine that nobody listens on.
    package static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = unsafe withUnsafeMutableBytes(of: &address) { bytes in
            let pointer = unsafe bytes.assumingMemoryBound(to: sockaddr.self).baseAddress
            guard unsafe bind(descriptor, pointer, size) == 0 else { return Int32(-1) }
            return unsafe getsockname(descriptor, pointer, &size)
        }
        guard code == 0 else { throw ProgramError(description: "no free port (errno \(errno))") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}

extension PostgresCluster {
    /// Asks again and again until a query gives true; for what the server does in its own time.
    /// - Throws: when it has not become true within five minutes.
    package func waitUntil(_ query: String) throws { try Waiting.until(query, pause: 0) { try psql(query) == "t" } }
}
