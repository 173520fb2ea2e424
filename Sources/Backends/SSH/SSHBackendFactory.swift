package import BackupAPI

/// Opens `sftp://user@host:port/path` targets.
///
/// The path is absolute; `/~/x` is relative to the login's home. Connections are made by the OpenSSH program, so that the
/// user's keys, agent, known hosts and ssh_config (ProxyJump and aliases too) work as they do for `sftp`.
package enum SSHBackendFactory {
    /// The factory for the registry.
    package static func factory() -> BackendFactory {
        BackendFactory(scheme: "sftp", settings: SSHConfiguration.declarations) { settings throws(StorageError) in
            try await SSHBackend.open(try SSHConfiguration(settings))
        }
    }
}
