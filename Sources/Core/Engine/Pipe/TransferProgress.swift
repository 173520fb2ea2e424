import Synchronization

/// How far a transfer is. Many tasks add to it, one looks at it.
package final class TransferProgress: Sendable {
    private let done = Atomic<Int>(0)
    private let total = Atomic<Int>(0)

    package init() {}

    /// Says how many bytes will come; 0 when nobody knows.
    package func begin(totalBytes: Int) { total.store(totalBytes, ordering: .relaxed) }

    /// Counts bytes.
    package func add(_ bytes: Int) { done.add(bytes, ordering: .relaxed) }

    /// Bytes so far.
    package var doneBytes: Int { done.load(ordering: .relaxed) }

    /// Bytes in all, as far as known.
    package var totalBytes: Int { total.load(ordering: .relaxed) }
}
