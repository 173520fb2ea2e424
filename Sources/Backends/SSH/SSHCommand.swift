internal import BackupAPI
import Glibc

/// Makes the command lines of the OpenSSH programs, as argument vectors.
struct SSHCommand: Sendable {
    /// What is connected to, and how.
    let configuration: SSHConfiguration

    /// Options that turn off what a configuration file may turn on and a file transfer must not have (ssh_config(5)).
    private static let plain = [
        "BatchMode=yes", "ServerAliveInterval=15", "ServerAliveCountMax=4", "ClearAllForwardings=yes",
        "PermitLocalCommand=no", "RemoteCommand=none", "RequestTTY=no", "EscapeChar=none", "LogLevel=INFO",
    ]

    /// Starts the server program that is connected to without ssh, or ssh with the `sftp` subsystem.
    /// - Parameter pin: the accepted host key, where one is named in the settings.
    func session(pin: PinnedHostKey?) -> ProcessLaunch {
        if let server = configuration.sftpServer {
            return ProcessLaunch(program: server, arguments: [], environment: environment)
        }
        var options = ["StrictHostKeyChecking=yes"]
        if let pin {
            options += SSHCommand.trusting(only: pin.knownHostsFile) + ["HostKeyAlgorithms=\(pin.algorithms)"]
        } else if let file = configuration.knownHostsFile {
            options += SSHCommand.trusting(only: file)
        }
        return launch(options)
    }

    /// Connects without logging in, only to learn the host's key of some kinds.
    /// - Parameter file: where ssh writes the key.
    func keyProbe(algorithms: String, into file: String) -> ProcessLaunch {
        var options = SSHCommand.trusting(only: file)
        options += [
            "StrictHostKeyChecking=accept-new", "HashKnownHosts=no", "PreferredAuthentications=none",
            "HostKeyAlgorithms=\(algorithms)",
        ]
        return launch(options)
    }

    /// Prints the fingerprints of the keys in a file, one a line.
    func fingerprints(of file: String) -> ProcessLaunch {
        ProcessLaunch(
            program: program("ssh-keygen"), arguments: ["-l", "-E", "sha256", "-f", file], environment: environment)
    }

    private func launch(_ options: [String]) -> ProcessLaunch {
        // Of an option that is given twice, ssh takes the first; so ours stand before all others.
        var arguments = (SSHCommand.plain + options).map { "-o" + $0 }
        arguments += ["-oConnectTimeout=\(configuration.connectSeconds)", "-a", "-x"]
        if let file = configuration.configFile { arguments += ["-F", file] }
        if let file = configuration.privateKeyFile {
            arguments += ["-oIdentitiesOnly=yes", "-i", SSHCommand.withoutTokens(file)]
        }
        if let port = configuration.location.port { arguments += ["-p", String(port)] }
        if !configuration.location.user.isEmpty { arguments += ["-l", configuration.location.user] }
        arguments += ["-s", "--", configuration.location.host, "sftp"]
        return ProcessLaunch(
            program: configuration.sshCommand ?? program("ssh"), arguments: arguments, environment: environment)
    }

    /// No other file, command, DNS record or shared connection may vouch for the host.
    private static func trusting(only file: String) -> [String] {
        [
            "UserKnownHostsFile=\"\(withoutTokens(file))\"", "GlobalKnownHostsFile=/dev/null", "VerifyHostKeyDNS=no",
            "UpdateHostKeys=no", "ControlPath=none",
            // Known from OpenSSH 8.5 on. IgnoreUnknown would take the place of the user's own, so it is not given.
            "KnownHostsCommand=none",
        ]
    }

    /// A `%` in a file name begins a token for ssh.
    private static func withoutTokens(_ path: String) -> String {
        String(decoding: path.utf8.flatMap { $0 == 0x25 ? [$0, $0] : [$0] }, as: UTF8.self)
    }

    /// Messages are read by `SSHErrors`, so they are asked for in English.
    private var environment: [String: String] {
        var environment = configuration.environment
        environment["LC_ALL"] = "C"
        if environment["PATH"] == nil { environment["PATH"] = "/usr/bin:/bin" }
        return environment
    }

    /// Searches PATH; a program that is not found is named by its usual place, so that starting it gives the reason.
    private func program(_ name: String) -> String {
        for folder in (environment["PATH"] ?? "").split(separator: ":") where folder.hasPrefix("/") {
            // Sound: access(2) reads a string that lives during the call.
            if unsafe access("\(folder)/\(name)", X_OK) == 0 { return "\(folder)/\(name)" }
        }
        return "/usr/bin/\(name)"
    }
}
