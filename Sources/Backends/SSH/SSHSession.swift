internal import BackupAPI

/// What a backend talks through: connections to one server, and the count of requests.
struct SSHSession: Sendable {
    let pool: SFTPChannelPool
    let counter = RequestCounter()

    /// Prepares connections; none is opened yet. Where the settings name a fingerprint, the host is asked for its key.
    init(_ configuration: SSHConfiguration) throws(ChannelLoss) {
        let command = SSHCommand(configuration: configuration)
        let explain = { @Sendable (end: ProcessEnd, messages: String) in
            SSHErrors.loss(end: end, messages: messages, configuration: configuration)
        }
        var pin: PinnedHostKey?
        var folder: PrivateFolder?
        if let fingerprint = configuration.hostKeyFingerprint, configuration.sftpServer == nil {
            let place = try PrivateFolder(below: configuration.environment["TMPDIR"] ?? "/tmp")
            pin = try HostKeyPin.find(fingerprint, command: command, folder: place, explain: explain)
            folder = place
        }
        let launch = command.session(pin: pin)
        pool = SFTPChannelPool(maximum: configuration.concurrency) { [counter, folder] () throws(SFTPFault) in
            // The folder with the accepted key lives as long as connections can be made.
            try withExtendedLifetime(folder) { () throws(SFTPFault) in
                try SFTPChannel(
                    launch: launch, limits: configuration.timeLimits, counter: counter, explain: explain)
            }
        }
    }
}

extension SSHBackend {
    /// Connects, logs in and looks at what the server can do.
    static func open(_ configuration: SSHConfiguration) async throws(StorageError) -> SSHBackend {
        let name = configuration.location.description
        do throws(SFTPFault) {
            if let file = configuration.privateKeyFile { try requireReadable(file) }
            let session: SSHSession
            do { session = try SSHSession(configuration) } catch { throw .lost(error) }
            let lease = try await session.pool.lease()
            let root = try await root(of: configuration.location.path, on: lease)
            let server = try await ServerTraits(asking: lease)
            return SSHBackend(
                displayName: name, root: root, session: session, server: server,
                concurrency: configuration.concurrency)
        } catch {
            throw SSHErrors.error(error, operation: .open, target: name)
        }
    }

    /// ssh only warns of a key that it cannot read, and then tries others; who names a key wants this one.
    private static func requireReadable(_ file: String) throws(SFTPFault) {
        do { _ = try PrivateFolder.text(of: file) } catch {
            throw .lost(
                ChannelLoss(.misconfigured, detail: error.detail, remedy: "Correct private_key_file, or its mode."))
        }
    }

    /// The root as an absolute path without a slash at its end; `/~` stands for the login's home.
    private static func root(of path: String, on lease: ChannelLease) async throws(SFTPFault) -> String {
        var components = path.slashedParts
        guard components.first == "~" else { return components.map { "/" + $0 }.joined() }
        components.removeFirst()
        let names = try await lease.channel.send(.realPath(".")).reply().requireNames()
        guard let bytes = names?.first?.bytes, let home = String(validating: bytes, as: UTF8.self) else {
            throw .unexpected("no home folder")
        }
        return (home == "/" ? "" : home) + components.map { "/" + $0 }.joined()
    }
}
