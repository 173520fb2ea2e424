import Synchronization

/// Counts what was asked of a target. Any task may read it at any time.
package final class StorageCounters: Sendable {
    /// The counts at one moment.
    package struct Reading: Sendable, Hashable {
        /// Calls by their names, such as `stat` or `write`; a chunk of a stream is one.
        package var calls: [String: Int] = [:]
        /// How many of them failed for good. That there is no such object, or that there is one, is an answer.
        package var failedCallCount = 0
        /// How often a call was tried again.
        package var retryCount = 0
        /// Bytes that readers gave.
        package var readByteCount = 0
        /// Bytes that uploads took, whether they were committed or not.
        package var writtenByteCount = 0

        /// How many calls were made.
        package var callCount: Int { calls.values.reduce(0, +) }
    }

    private let state = Mutex(Reading())

    /// Makes counters at zero.
    package init() {}

    /// The counts now.
    package var reading: Reading { state.withLock { $0 } }

    /// Counts a call that is tried again.
    func countRetry() { state.withLock { $0.retryCount += 1 } }

    func count(_ call: StorageCall, isFailed: Bool, readByteCount: Int = 0, writtenByteCount: Int = 0) {
        state.withLock { state in
            state.calls[call.kind.rawValue, default: 0] += 1
            if isFailed { state.failedCallCount += 1 }
            state.readByteCount += readByteCount
            state.writtenByteCount += writtenByteCount
        }
    }
}
