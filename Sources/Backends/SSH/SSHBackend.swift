package import BackupAPI

/// Keeps objects as files below a folder of an SFTP server.
///
/// Object `a/b` is the file `a/b` below the root. Symbolic links inside the root are not followed: what lies behind one is
/// not an object. Files are made with mode 0600, folders with 0700.
package final class SSHBackend: StorageBackend {
    package let displayName: String
    package let capabilities: Capabilities
    /// The root's absolute path on the server; empty for `/`.
    let root: String
    let pool: SFTPChannelPool
    let places: TemporaryPlaces
    /// Whether folders can be forced to disk, too.
    let canSyncFolders: Bool
    private let counter: RequestCounter

    init(
        displayName: String, root: String, session: SSHSession, server: ServerTraits, concurrency: Int
    ) {
        self.displayName = displayName
        self.root = root
        self.pool = session.pool
        self.counter = session.counter
        self.places = TemporaryPlaces()
        canSyncFolders = server.canSyncFolders
        capabilities = server.capabilities(concurrency: concurrency)
    }

    /// How many requests were sent so far, by kind.
    package func requestCounts() -> [String: Int] { counter.snapshot }

    /// The path of an object's file on the server.
    func path(of key: ObjectKey) -> String { root + "/" + key.string }

    /// Runs calls that may be made twice, and translates what goes wrong.
    func calls<Result>(
        _ operation: StorageError.Operation, _ key: ObjectKey? = nil,
        _ body: (ChannelLease) async throws(SFTPFault) -> Result
    ) async throws(StorageError) -> Result {
        do throws(SFTPFault) {
            return try await pool.withChannel(body)
        } catch {
            throw SSHErrors.error(error, operation: operation, key: key, target: displayName)
        }
    }

    /// Makes the error of a missing object.
    func missing(_ key: ObjectKey, _ operation: StorageError.Operation) -> StorageError {
        StorageError(.notFound, operation: operation, key: key.string, target: displayName)
    }

    package func stat(_ key: ObjectKey) async throws(StorageError) -> ObjectInfo {
        let found = try await calls(.stat, key) { lease throws(SFTPFault) in try await look(at: key, on: lease) }
        guard let attributes = found.object else { throw missing(key, .stat) }
        return ObjectInfo(key: key, byteCount: Int(clamping: attributes.byteCount ?? 0))
    }

    package func openRead(
        _ key: ObjectKey, range: ByteRange?
    ) async throws(StorageError) -> any ObjectReader {
        let opened = try await calls(.read, key) { lease throws(SFTPFault) -> SSHSource? in
            // The look comes first: opening a named pipe would make the server wait.
            guard let attributes = try await look(at: key, on: lease).object else { return nil }
            let handle = try await lease.channel.send(.open(path(of: key), .read, permissions: nil)).reply()
                .requireHandle()
            return SSHSource(
                lease: lease, handle: handle, expected: attributes.byteCount, range: range, key: key,
                target: displayName)
        }
        guard let opened else { throw missing(key, .read) }
        return opened
    }

    package func freeByteCount() async throws(StorageError) -> Int? {
        try await calls(.stat) { lease throws(SFTPFault) in
            try await fileSystem(of: root, on: lease)?.availableByteCount
        }
    }

    /// Room of the file system that a folder is in or will be in; nil where the server cannot tell.
    func fileSystem(of folder: String, on lease: ChannelLease) async throws(SFTPFault) -> SFTPFileSystem? {
        guard lease.features.has(.statvfs) else { return nil }
        var folder = folder
        while true {
            do throws(SFTPFault) {
                let place = folder.isEmpty ? "/" : folder
                let bytes = try await lease.channel.send(.statvfs(place)).reply().requireExtended()
                do { return try SFTPFileSystem(bytes) } catch { throw .unexpected(error.detail) }
            } catch {
                guard case .status(.noSuchFile, _) = error, !folder.isEmpty else { throw error }
                folder = folder.beforeLastSlash
            }
        }
    }

    package func unixSeconds() async throws(StorageError) -> Int? {
        do throws(StorageError) {
            return try await calls(.stat) { lease throws(SFTPFault) in
                try await serverTime(in: root, on: lease).map { Int($0) }
            }
        } catch {
            // There is no folder before the first write.
            guard error.reason == .notFound else { throw error }
            return nil
        }
    }

    package func close() async { await pool.close() }
}
