import Synchronization

/// A target whose WAL archive is looked at when it is needed, and once.
package final class WALSource: Sendable {
    package let name: String
    private let open: @Sendable () async throws -> WALArchive
    private let opened = Mutex<Result<WALArchive, any Error>?>(nil)

    /// - Parameter open: opens the archive; what it throws is a fault of the target.
    package init(name: String, open: @escaping @Sendable () async throws -> WALArchive) {
        self.name = name
        self.open = open
    }

    /// The archive. One task asks at a time.
    package func archive() async throws -> WALArchive {
        if let opened = opened.withLock({ $0 }) { return try opened.get() }
        do {
            let archive = try await open()
            opened.withLock { $0 = .success(archive) }
            return archive
        } catch {
            opened.withLock { $0 = .failure(error) }
            throw error
        }
    }
}
