import BackupAPI
import Testing

@testable import SSHBackend

/// What a target's section may say, and what ssh is told then.
@Suite struct `The settings of an SFTP target` {
    private func configuration(
        _ url: String, _ values: [String: String] = [:]
    ) throws -> SSHConfiguration {
        try SSHConfiguration(
            TargetSettings(
                location: try TargetLocation(url), values: values.mapValues { Secret($0) },
                environment: ["HOME": "/home/me", "PATH": "/nowhere", "SSH_AUTH_SOCK": "/agent"]))
    }

    @Test(arguments: [
        "sftp://host", "sftp://host/", "sftp:///path", "sftp://-oProxyCommand=x/path", "sftp://-l@host/path",
        "sftp://a;b/path", "sftp://$(id)/path", "sftp://us`er@host/path", "sftp://a b/path", "sftp://host/a/../b",
        "sftp://host/./b", "sftp://host/a%0Ab", "sftp://user\\@host/path",
    ])
    func `are refused for a location that ssh or a shell could misread`(url: String) throws {
        let error = #expect(throws: StorageError.self) { try configuration(url) }
        #expect(error?.reason == .misconfigured)
    }

    @Test(arguments: [
        ("concurrency", "0"), ("concurrency", "65"), ("concurrency", "x"), ("connect_timeout", "0"),
        ("idle_timeout", "-1"), ("known_hosts_file", "relative"), ("known_hosts_file", "/a\"b"),
        ("private_key_file", "~other/key"), ("host_key_fingerprint", "MD5:aa"),
        ("host_key_fingerprint", "SHA256:short"),
    ])
    func `are refused for a value that cannot be`(name: String, value: String) throws {
        let error = #expect(throws: StorageError.self) { try configuration("sftp://host/path", [name: value]) }
        #expect(error?.reason == .misconfigured)
        #expect(error?.detail?.contains(name) == true)
    }

    @Test func `become an argument vector in which the host cannot be an option`() throws {
        let configuration = try configuration(
            "sftp://me@host.example:2222/path",
            [
                "private_key_file": "~/.ssh/100%", "known_hosts_file": "/etc/my hosts", "config_file": "/etc/config",
                "ssh_command": "/opt/ssh", "connect_timeout": "7",
            ])

        let launch = SSHCommand(configuration: configuration).session(pin: nil)

        #expect(launch.program == "/opt/ssh")
        let tail = [
            "-oConnectTimeout=7", "-a", "-x", "-F", "/etc/config", "-oIdentitiesOnly=yes", "-i", "/home/me/.ssh/100%%",
            "-p", "2222", "-l", "me", "-s", "--", "host.example", "sftp",
        ]
        #expect(Array(launch.arguments.suffix(tail.count)) == tail)
        for option in [
            "BatchMode=yes", "StrictHostKeyChecking=yes", "ServerAliveInterval=15", "ServerAliveCountMax=4",
            "UserKnownHostsFile=\"/etc/my hosts\"", "GlobalKnownHostsFile=/dev/null", "ControlPath=none",
        ] {
            #expect(launch.arguments.contains("-o" + option))
        }
        #expect(launch.environment["SSH_AUTH_SOCK"] == "/agent")
        #expect(launch.environment["LC_ALL"] == "C")
    }

    @Test func `leave known hosts, keys and ports to ssh when they say nothing`() throws {
        let launch = SSHCommand(configuration: try configuration("sftp://alias/path")).session(pin: nil)

        #expect(launch.program == "/usr/bin/ssh")
        for word in ["KnownHosts", "-i", "-p", "-l", "-F", "ControlPath", "HostKeyAlgorithms"] {
            #expect(!launch.arguments.contains { $0.contains(word) && $0 != "-x" }, "\(word)")
        }
    }

    @Test func `accept a fingerprint as ssh-keygen prints it`() {
        let code = String(repeating: "aB+/9", count: 8) + "xyz"
        #expect(HostKeyPin.normalized("SHA256:" + code) == "SHA256:" + code)
        #expect(HostKeyPin.normalized("SHA256:" + code + "=") == "SHA256:" + code)
        #expect(HostKeyPin.normalized("sha256:" + code) == nil)
        #expect(HostKeyPin.normalized("SHA256:" + code.dropLast() + " ") == nil)
    }

    @Test(arguments: [
        ("ssh: connect to host h port 22: Connection refused", StorageError.Reason.unavailable),
        ("ssh: connect to host h port 22: Connection timed out", .timedOut),
        ("Connection timed out during banner exchange", .timedOut),
        ("Timeout, server h not responding.", .timedOut),
        ("ssh: connect to host h port 22: No route to host", .unavailable),
        ("ssh: Could not resolve hostname h: Name or service not known", .misconfigured),
        ("ssh: Could not resolve hostname h: Temporary failure in name resolution", .unavailable),
        ("me@h: Permission denied (publickey).", .notAuthenticated),
        ("Received disconnect from h port 22:2: Too many authentication failures", .notAuthenticated),
        (
            "No ED25519 host key is known for h and you have requested strict checking.\nHost key verification failed.",
            .notAuthenticated
        ),
        (
            "@  WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!  @\r\nHost key verification failed.\r\n",
            .notAuthenticated
        ),
        ("WARNING: UNPROTECTED PRIVATE KEY FILE!\nme@h: Permission denied (publickey).", .misconfigured),
        ("subsystem request failed on channel 0", .unsupported),
        ("/c: line 1: Bad configuration option: nonsense", .misconfigured),
        ("Unable to negotiate with h port 22: no matching host key type found. Their offer: ssh-dss", .unsupported),
        ("client_loop: send disconnect: Broken pipe", .unavailable), ("something else", .unavailable),
        ("", .unavailable),
    ])
    func `find the reason in what ssh says`(messages: String, reason: StorageError.Reason) throws {
        let loss = SSHErrors.loss(
            end: .exited(255), messages: messages, configuration: try configuration("sftp://me@h/path"))

        #expect(loss.reason == reason)
        #expect(!loss.detail.isEmpty && !loss.detail.contains { $0.isNewline })
    }

    @Test func `name the command that shows an unknown host key`() throws {
        let loss = SSHErrors.loss(
            end: .exited(255),
            messages: "No ED25519 host key is known for [h]:2222 and you have requested strict checking.",
            configuration: try configuration("sftp://me@h:2222/path"))

        #expect(loss.remedy?.contains("ssh-keyscan -p 2222 h | ssh-keygen -lf -") == true)
    }

    @Test func `never show a server's control characters`() throws {
        let error = SSHErrors.error(
            .status(.failure, message: "a\u{1B}[2Jb\nc"), operation: .write, key: try ObjectKey("k"), target: "t")

        #expect(error.detail == "SFTP SSH_FX_FAILURE a[2Jbc")
    }
}
