package import BackupAPI
import Glibc
import Synchronization

/// An open file, such as standard output, as a place that takes one object: what is written to it goes straight on.
///
/// Nothing that was written can be taken back, and nobody knows what becomes of it.
package final class StreamBackend: StorageBackend {
    package let displayName: String
    package let capabilities = Capabilities(
        durability: .unknown, hasAtomicCreate: false, hasAtomicReplace: false, usefulConcurrency: 1)
    private let descriptor: Int32

    /// - Parameter descriptor: open for writing; it stays open.
    package init(descriptor: Int32, displayName: String) {
        self.descriptor = descriptor
        self.displayName = displayName
    }

    package func stat(_ key: ObjectKey) async throws(StorageError) -> ObjectInfo { throw missing(.stat, key) }

    package func openRead(_ key: ObjectKey, range: ByteRange?) async throws(StorageError) -> any ObjectReader {
        throw missing(.read, key)
    }

    package func beginWrite(_ key: ObjectKey, options: WriteOptions) async throws(StorageError) -> any UploadDriver {
        StreamSink(descriptor: descriptor, displayName: displayName)
    }

    package func list(_ request: ListRequest) async throws(StorageError) -> ListPage {
        ListPage(entries: [], hasMore: false)
    }

    package func delete(_ keys: [ObjectKey]) async throws(StorageError) -> [ObjectKey: StorageError] { [:] }

    package func sweepUnfinished(prefix: String) async throws(StorageError) -> Int { 0 }

    package func freeByteCount() async throws(StorageError) -> Int? { nil }

    package func close() async {}

    private func missing(_ operation: StorageError.Operation, _ key: ObjectKey) -> StorageError {
        StorageError(.notFound, operation: operation, key: key.string, target: displayName)
    }
}

/// Writes bytes as they come.
private final class StreamSink: UploadDriver {
    private let descriptor: Int32
    private let displayName: String

    init(descriptor: Int32, displayName: String) {
        self.descriptor = descriptor
        self.displayName = displayName
    }

    func write(_ bytes: RawSpan) async throws(StorageError) {
        let fault: Int32? = unsafe bytes.withUnsafeBytes { bytes in
            var written = 0
            while written < bytes.count {
                if Task.isCancelled { return ECANCELED }
                // Sound: what is written lies behind `written` in the lent bytes.
                let count = unsafe Glibc.write(
                    descriptor, bytes.baseAddress.map { unsafe $0 + written }, bytes.count - written)
                if count < 0, errno != EINTR { return errno }
                written += max(0, count)
            }
            return nil
        }
        guard let fault else { return }
        let reason: StorageError.Reason =
            switch fault {
            case ECANCELED: .cancelled
            case ENOSPC, EDQUOT: .noSpace
            default: .failed
            }
        throw StorageError(
            reason, operation: .write, target: displayName, detail: unsafe String(cString: strerror(fault)),
            remedy: fault == EPIPE ? "The program that reads it has ended; see what it says." : nil)
    }

    func commit() async throws(StorageError) {}

    func abort() async {}
}
