/// Takes WAL as it comes. Calls come one after the other, from the task that called `streamWAL`.
package protocol WALReceiver: AnyObject {
    /// The next bytes of WAL, without a gap to those before; at most 128 KiB, and gone after the call.
    /// - Returns: how far WAL is safe here, which the server is told and may then remove; nil when that is not known.
    func walBytes(_ bytes: RawSpan, at position: LSN) async throws -> LSN?

    /// Nothing more is waiting at the moment: who gathers before it makes safe does so now.
    /// - Returns: how far WAL is safe here, which the server is told at once; nil when that is not known.
    func walPause() async throws -> LSN?
}

extension WALReceiver {
    /// Nothing is gathered.
    package func walPause() async throws -> LSN? { nil }
}

/// Why and where a stream of WAL ended.
package struct WALStreamEnd: Sendable, Hashable {
    /// Why a stream ended.
    package enum Cause: Sendable, Hashable {
        /// The stop that was asked for was reached.
        case stopped
        /// The timeline ended at `at`; its successor is to be asked for from that position on.
        case timelineEnded(next: Timeline, at: LSN)
        /// The server shut down in good order.
        case serverShutDown
    }

    /// The position behind the last byte received.
    package let position: LSN
    /// Why it ended.
    package let cause: Cause
}
