internal import BackupAPI

extension SSHErrors {
    /// Says why ssh ended: its exit status is 255 for every fault of its own (ssh(1)), so its messages must tell.
    ///
    /// The phrases are those of OpenSSH 8 and 9 (ssh.c, sshconnect.c, sshconnect2.c, packet.c, clientloop.c).
    static func loss(end: ProcessEnd, messages: String, configuration: SSHConfiguration) -> ChannelLoss {
        let lines = messages.split(whereSeparator: \.isNewline).map { line in
            String(String.UnicodeScalarView(line.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }))
        }
        for sign in signs {
            guard let line = lines.last(where: { $0.contains(sign.phrase) }) else { continue }
            return ChannelLoss(
                sign.reason, detail: cut(line), remedy: sign.remedy.map { fill($0, configuration) })
        }
        let last = lines.last { !$0.isEmpty } ?? words(of: end)
        return ChannelLoss(.unavailable, detail: cut(last))
    }

    /// What a message means.
    private struct Sign: Sendable {
        let phrase: String
        let reason: StorageError.Reason
        /// `SCAN`, `FORGET` and `TRY` stand for commands.
        let remedy: String?

        init(_ phrase: String, _ reason: StorageError.Reason, _ remedy: String? = nil) {
            self.phrase = phrase
            self.reason = reason
            self.remedy = remedy
        }
    }

    /// The first that is found decides, so causes stand before consequences.
    private static let signs = [
        Sign(
            "IDENTIFICATION HAS CHANGED", .notAuthenticated,
            "Ask who runs the server whether its key was changed. If so, compare the key that 'SCAN' shows with what they "
                + "say, then forget the old one with 'FORGET'."),
        Sign(
            "host key is known for", .notAuthenticated,
            "Show the host's keys with 'SCAN', compare them with what runs on the server, then set host_key_fingerprint "
                + "to the right one or add the key to the known hosts."),
        Sign(
            "Host key verification failed", .notAuthenticated,
            "Compare the keys that 'SCAN' shows with what runs on the server, then set host_key_fingerprint."),
        Sign(
            "UNPROTECTED PRIVATE KEY FILE", .misconfigured, "Run 'chmod 600' on the private key file."),
        Sign("Bad owner or permissions on", .misconfigured, "Correct owner and mode of that file: 'chmod 600'."),
        Sign("Bad configuration option", .misconfigured, "Correct the ssh_config that the message names."),
        Sign("Can't open user config file", .misconfigured, "Correct config_file."),
        Sign(
            "Permission denied (", .notAuthenticated,
            "Try 'TRY' as the same user; set private_key_file, or add the public key to authorized_keys on the server."),
        Sign(
            "Too many authentication failures", .notAuthenticated,
            "Set private_key_file, so that only this key is offered."),
        Sign("subsystem request failed", .unsupported, "Enable 'Subsystem sftp' in the server's sshd_config."),
        Sign(
            "no matching", .unsupported,
            "Let client and server share an algorithm: see the message, and ssh_config(5) for the option."),
        Sign("Name or service not known", .misconfigured, "Correct the host in the target's URL."),
        Sign("No address associated with hostname", .misconfigured, "Correct the host in the target's URL."),
        Sign(
            "Could not resolve hostname", .unavailable, "Check the network's name service, then run the command again."),
        Sign("timed out", .timedOut),
        Sign("not responding", .timedOut),
        Sign("Connection refused", .unavailable, "Check host and port of the URL, and that sshd runs there."),
        Sign("No route to host", .unavailable),
        Sign("Network is unreachable", .unavailable),
        Sign("Connection closed", .unavailable),
        Sign("Connection reset", .unavailable),
        Sign("Broken pipe", .unavailable),
        Sign("closed by remote host", .unavailable),
    ]

    private static func words(of end: ProcessEnd) -> String {
        switch end {
        case .exited(0): "the connection was closed by the other side"
        case .exited(let status): "ssh ended with status \(status)"
        case .signalled(let signal): "ssh was ended by signal \(signal)"
        case .unknown: "the connection broke"
        }
    }

    private static func fill(_ remedy: String, _ configuration: SSHConfiguration) -> String {
        let location = configuration.location
        let port = location.port.map { "-p \($0) " } ?? ""
        let name = location.port.map { $0 == 22 ? location.host : "[\(location.host)]:\($0)" } ?? location.host
        let file = configuration.knownHostsFile.map { " -f \($0)" } ?? ""
        let login = location.user.isEmpty ? location.host : "\(location.user)@\(location.host)"
        let identity = configuration.privateKeyFile.map { "-i \($0) " } ?? ""
        let commands = [
            ("SCAN", "ssh-keyscan \(port)\(location.host) | ssh-keygen -lf -"),
            ("FORGET", "ssh-keygen -R \(name)\(file)"),
            ("TRY", "ssh -v \(port)\(identity)-s \(login) sftp"),
        ]
        return commands.reduce(remedy) { text, command in
            guard let place = text.firstRange(of: command.0) else { return text }
            return text.replacingCharacters(place, with: command.1)
        }
    }

    private static func cut(_ line: String) -> String { String(line.prefix(300)) }
}

extension String {
    fileprivate func replacingCharacters(_ range: Range<Index>, with text: String) -> String {
        String(self[..<range.lowerBound]) + text + self[range.upperBound...]
    }
}
