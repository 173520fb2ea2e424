internal import BackupAPI

/// The settings of one SFTP target, checked.
struct SSHConfiguration: Sendable {
    /// Where the target is.
    var location: TargetLocation
    /// The ssh program; searched on PATH when nil.
    var sshCommand: String?
    /// A program that speaks SFTP on its standard input and output, run on this machine in place of ssh.
    var sftpServer: String?
    /// The private key to log in with; nil leaves it to ssh.
    var privateKeyFile: String?
    /// Known host keys in place of the user's own.
    var knownHostsFile: String?
    /// The one host key that is accepted, as `SHA256:…`.
    var hostKeyFingerprint: String?
    /// A configuration for ssh in place of the user's own.
    var configFile: String?
    /// Most connections at once.
    var concurrency = 4
    /// How long connecting may take, in seconds.
    var connectSeconds = 15
    /// How long a server may be silent while an answer is due.
    var idleLimit = Duration.seconds(60)
    /// The environment of our own program: PATH, HOME, SSH_AUTH_SOCK.
    var environment: [String: String] = [:]

    /// The settings a `[target:NAME]` section may hold.
    static let declarations = [
        SettingDeclaration(
            "private_key_file", purpose: "private key to log in with; else ssh's own choice and the agent"),
        SettingDeclaration("known_hosts_file", purpose: "known host keys; else ssh's own files"),
        SettingDeclaration("host_key_fingerprint", purpose: "the only host key to accept, as SHA256:…"),
        SettingDeclaration("concurrency", purpose: "most connections at once, 1 to 64 (4)"),
        SettingDeclaration("ssh_command", purpose: "path of the ssh program; else searched on PATH"),
        SettingDeclaration("sftp_server", purpose: "path of an SFTP server program to run here in place of ssh"),
        SettingDeclaration("connect_timeout", purpose: "seconds that connecting may take (15)"),
        SettingDeclaration(
            "idle_timeout", purpose: "seconds that the server may be silent while an answer is due (60)"),
        SettingDeclaration("config_file", purpose: "ssh_config in place of the user's own"),
    ]

    /// Makes the configuration of a location with everything else at its default.
    /// - Throws: `.misconfigured` for a user or host that ssh could take for an option or a shell could take apart.
    init(location: TargetLocation) throws(StorageError) {
        self.location = location
        if let fault = SSHConfiguration.fault(ofHost: location.host) ?? SSHConfiguration.fault(ofUser: location.user) {
            throw SSHConfiguration.refusal(location, fault)
        }
        let components = location.path.slashedParts
        guard !components.isEmpty else { throw SSHConfiguration.refusal(location, "the URL has no path") }
        guard !components.contains(".."), !components.contains("."), !SSHConfiguration.hasControl(location.path) else {
            throw SSHConfiguration.refusal(location, "the path is not well formed")
        }
    }

    /// Reads the settings of a target.
    /// - Throws: `.misconfigured` with the setting that is wrong.
    init(_ settings: TargetSettings) throws(StorageError) {
        try self.init(location: settings.location)
        environment = settings.environment
        let home = environment["HOME"]
        func path(_ name: String) throws(StorageError) -> String? {
            guard let text = settings.text(name), !text.isEmpty else { return nil }
            var path = text
            if text.hasPrefix("~/"), let home { path = home + text.dropFirst(1) }
            guard path.hasPrefix("/"), !path.contains("\""), !SSHConfiguration.hasControl(path) else {
                throw SSHConfiguration.refusal(location, "\(name) is not an absolute path")
            }
            return path
        }
        func number(_ name: String, _ allowed: ClosedRange<Int>, _ standard: Int) throws(StorageError) -> Int {
            guard let text = settings.text(name), !text.isEmpty else { return standard }
            guard let number = Int(text), allowed.contains(number) else {
                throw SSHConfiguration.refusal(
                    location, "\(name) is not a number from \(allowed.lowerBound) to \(allowed.upperBound)")
            }
            return number
        }
        sshCommand = try path("ssh_command")
        sftpServer = try path("sftp_server")
        privateKeyFile = try path("private_key_file")
        knownHostsFile = try path("known_hosts_file")
        configFile = try path("config_file")
        concurrency = try number("concurrency", 1...64, 4)
        connectSeconds = try number("connect_timeout", 1...3600, 15)
        idleLimit = .seconds(try number("idle_timeout", 1...86_400, 60))
        if let text = settings.text("host_key_fingerprint"), !text.isEmpty {
            guard let fingerprint = HostKeyPin.normalized(text) else {
                throw SSHConfiguration.refusal(location, "host_key_fingerprint is not SHA256: and 43 characters")
            }
            hostKeyFingerprint = fingerprint
        }
    }

    /// The limits of a session; logging in gets the idle limit on top of the time for connecting.
    var timeLimits: SFTPTimeLimits {
        SFTPTimeLimits(beginning: .seconds(connectSeconds) + idleLimit, idle: idleLimit)
    }

    private static func refusal(_ location: TargetLocation, _ detail: String) -> StorageError {
        StorageError(
            .misconfigured, operation: .open, target: location.description, detail: detail,
            remedy: "Correct the target's section; the URL is sftp://user@host:port/path.")
    }

    private static func hasControl(_ text: String) -> Bool { text.utf8.contains { $0 < 0x20 || $0 == 0x7F } }

    /// A user's ssh_config may put the host into a command line (ProxyCommand's `%h`), so that what a shell takes apart is
    /// refused, as OpenSSH itself does from 9.6 on.
    private static func fault(ofHost host: String) -> String? {
        if host.isEmpty { return "the URL has no host" }
        if host.hasPrefix("-") { return "the host begins with '-'" }
        let isBad = host.utf8.contains { $0 <= 0x20 || $0 == 0x7F || "'\"`$\\;&<>|(){}*?!,".utf8.contains($0) }
        return isBad ? "the host has a character that host names do not have" : nil
    }

    private static func fault(ofUser user: String) -> String? {
        if user.hasPrefix("-") { return "the user begins with '-'" }
        let isBad = user.utf8.contains { $0 <= 0x20 || $0 == 0x7F || "'\"`$;&<>|(){}".utf8.contains($0) }
        return isBad || user.hasSuffix("\\") ? "the user has a character that user names do not have" : nil
    }
}
