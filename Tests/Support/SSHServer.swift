import Glibc
import Synchronization

/// An sshd of our own on a free port of the loopback, with its own host key and authorized keys.
package final class SSHServer: Sendable {
    /// OpenSSH's own SFTP server, which can also be run without ssh.
    package static let sftpProgram = "/usr/lib/openssh/sftp-server"

    package let port: Int
    /// The files of the login: private keys `user` and `stranger` (which may not log in); known hosts `known`, `changed`
    /// (another key) and `empty`.
    package let files: TemporaryFolder
    /// A folder to keep objects in.
    package let place: TemporaryFolder
    private let arguments: [String]
    private let folder: String
    private let running: Mutex<WatchedServer?> = Mutex(nil)

    /// Starts it and waits until it listens.
    package init(subsystem: String = SSHServer.sftpProgram) throws {
        (files, place) = (try TemporaryFolder(), try TemporaryFolder())
        folder = try WatchedServer.makeFolder()
        port = LoopbackSocket.freePorts(1)[0]
        for name in ["host", "user", "stranger"] {
            try Program.check(
                "/usr/bin/ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", files.path(name)])
        }
        try files.write(Array("* ".utf8) + files.read("host.pub"), to: "known")
        try files.write(Array("* ".utf8) + files.read("stranger.pub"), to: "changed")
        try files.write([], to: "empty")
        let configuration = """
            Port \(port)
            ListenAddress 127.0.0.1
            HostKey \(files.path("host"))
            AuthorizedKeysFile \(files.path("user.pub"))
            PidFile none
            UsePAM no
            StrictModes no
            PermitRootLogin yes
            PasswordAuthentication no
            KbdInteractiveAuthentication no
            MaxStartups 100
            Subsystem sftp \(subsystem)

            """
        try files.write(Array(configuration.utf8), to: "sshd_config")
        arguments = ["/usr/sbin/sshd", "-D", "-e", "-f", files.path("sshd_config")]
        // sshd separates privileges in this empty folder and does not start without it.
        _ = unsafe mkdir("/run/sshd", 0o755)
        try start()
    }

    deinit {
        kill()
        _ = try? Program.run("/bin/rm", ["-rf", folder])
    }

    /// Ends the server and its connections as a crash would; what was stored stays.
    package func kill() {
        let server = running.withLock { server in
            defer { server = nil }
            return server
        }
        server?.kill()
    }

    /// Starts a server that was killed, on the same port, and waits until it listens.
    package func start() throws {
        let server = try WatchedServer(arguments, folder: folder)
        running.withLock { $0 = server }
        try LoopbackSocket.waitForListener(port: port)
    }

    /// The user to log in as: the one that runs the tests.
    package static var user: String {
        guard let entry = unsafe getpwuid(getuid()) else { return "root" }
        return unsafe String(cString: entry.pointee.pw_name)
    }

    /// The URL of a target in `place`.
    /// - Parameter port: another port, such as a relay's.
    package func url(host: String = "127.0.0.1", port: Int? = nil) -> String {
        "sftp://\(Self.user)@\(host):\(port ?? self.port)\(place.path)"
    }

    /// What to set for a target here.
    package var settings: [String: String] {
        [
            "private_key_file": files.path("user"), "known_hosts_file": files.path("known"),
            "config_file": "/dev/null", "connect_timeout": "20",
        ]
    }

    /// The fingerprint of a key: the host's, or that of another file in `files`.
    package func fingerprint(of name: String = "host") throws -> String {
        let text = try Program.check("/usr/bin/ssh-keygen", ["-lf", files.path("\(name).pub")])
        return String(text.split(separator: " ")[1])
    }

    /// Copies a folder of `place` with OpenSSH's own `sftp` program.
    package func download(_ path: String, to folder: String) throws {
        let options = [
            "-q", "-b", "-", "-F", "/dev/null", "-i", files.path("user"), "-P", "\(port)",
            "-oUserKnownHostsFile=\(files.path("known"))",
        ]
        try Program.check(
            "/usr/bin/sftp", options + ["\(Self.user)@127.0.0.1"],
            input: Array("get -r \"\(place.path(path))\" \"\(folder)\"\n".utf8))
    }
}
