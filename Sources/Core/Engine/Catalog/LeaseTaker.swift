package import BackupAPI

/// Who this process is when it takes leases.
package struct LeaseTaker: Sendable {
    /// The name of the machine, for people.
    package var host: String
    package var process: Int32
    /// What tells the process from others of its number; nil where the machine does not say.
    package var instance: Lease.ProcessInstance?
    /// Whether the process of another run that holds a lease may still be there; true where nobody can tell.
    package var mayBeAlive: @Sendable (Lease.Holder) -> Bool
    /// Seconds since 1970.
    package var clock: @Sendable () -> Int

    package init(
        host: String, process: Int32, instance: Lease.ProcessInstance? = nil,
        mayBeAlive: @escaping @Sendable (Lease.Holder) -> Bool = { _ in true }, clock: @escaping @Sendable () -> Int
    ) {
        self.host = host
        self.process = process
        self.instance = instance
        self.mayBeAlive = mayBeAlive
        self.clock = clock
    }

    /// Takes the lease that whoever adds or deletes backups of a server on a target must have.
    /// - Parameter purpose: what for, for people, such as `backup` or `copy`.
    /// - Throws: `.busy` with the holder's name while somebody else has it.
    package func takeBackupLease(
        _ purpose: String, server: String, on backend: any StorageBackend
    ) async throws -> Lease {
        try await take(purpose, "backup", of: server, on: backend)
    }

    /// Takes the lease that whoever changes recipients on a target must have. No server has the name of the folder of keys.
    /// - Parameter purpose: what for, for people, such as `key add`.
    /// - Throws: `.busy` with the holder's name while somebody else has it.
    package func takeKeyLease(_ purpose: String, on backend: any StorageBackend) async throws -> Lease {
        try await take(purpose, "change", of: Layout.keysFolder, on: backend)
    }

    private func take(
        _ purpose: String, _ operation: String, of server: String, on backend: any StorageBackend
    ) async throws -> Lease {
        try await Lease.take(
            backend: backend, server: server, operation: operation,
            holder: Lease.Holder(host: host, process: process, instance: instance, operation: purpose),
            mayBeAlive: mayBeAlive, clock: clock)
    }
}
