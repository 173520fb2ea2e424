import Synchronization

/// Counts the work of one command; workers add to it from any task, a reporter reads it.
package final class ProgressCounter: Sendable {
    /// What was counted at one moment.
    package struct Reading: Sendable, Hashable {
        /// What is being done, such as `backup primary`.
        package var activity: String
        /// Bytes done.
        package var doneByteCount: Int
        /// Bytes to do; nil while it is not known.
        package var totalByteCount: Int?

        /// Makes a reading.
        package init(activity: String, doneByteCount: Int, totalByteCount: Int?) {
            self.activity = activity
            self.doneByteCount = doneByteCount
            self.totalByteCount = totalByteCount
        }
    }

    private let state: Mutex<Reading>

    /// Makes a counter at zero.
    package init(activity: String) {
        state = Mutex(Reading(activity: activity, doneByteCount: 0, totalByteCount: nil))
    }

    /// Counts bytes that were done.
    package func add(byteCount: Int) { state.withLock { $0.doneByteCount += byteCount } }

    /// Says how many bytes there are to do, or that it is not known.
    package func setTotal(byteCount: Int?) { state.withLock { $0.totalByteCount = byteCount } }

    /// Says how many more bytes there are to do.
    package func addTotal(byteCount: Int) {
        state.withLock { $0.totalByteCount = ($0.totalByteCount ?? 0) + byteCount }
    }

    /// Begins another activity, from zero.
    package func begin(_ activity: String, totalByteCount: Int? = nil) {
        state.withLock { $0 = Reading(activity: activity, doneByteCount: 0, totalByteCount: totalByteCount) }
    }

    /// What is counted now.
    package var reading: Reading { state.withLock { $0 } }
}
