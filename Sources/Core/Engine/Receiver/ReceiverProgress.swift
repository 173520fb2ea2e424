package import PostgresClient
import Synchronization

/// How far a receiver is; any task reads it.
package final class ReceiverProgress: Sendable {
    /// One look.
    package struct Reading: Sendable, Hashable {
        /// Whether WAL is being streamed.
        package var isStreaming = false
        package var timeline: UInt32 = 0
        /// Behind the last byte that came.
        package var received = LSN.zero
        /// Behind the last byte that is on the disk.
        package var safe = LSN.zero
        /// The last file that is on every target.
        package var archived: String?
        /// Files that wait to be stored.
        package var waitingCount = 0
        /// Bytes that they and the one that is being written take.
        package var waitingByteCount = 0
        /// Times that WAL was gone from the server before it came.
        package var gapCount = 0
        /// What keeps the stream from going on.
        package var streamFault: String?
        /// What keeps the upload from going on.
        package var uploadFault: String?
    }

    private let state = Mutex(Reading())

    /// Makes one at the beginning.
    package init() {}

    package var reading: Reading { state.withLock { $0 } }

    func change(_ body: (inout Reading) -> Void) { state.withLock { body(&$0) } }

    func received(_ position: LSN) { state.withLock { $0.received = position } }

    func madeSafe(_ position: LSN) { state.withLock { $0.safe = position } }
}
