import Synchronization

/// Tells a stream of WAL where to end. Any task sets it; the stream notices at once.
package final class WALStop: Sendable {
    private static let unset = UInt64.max
    private let position = Atomic<UInt64>(WALStop.unset)
    let wakeup = Wakeup()

    /// Makes a stop that is not set: the stream goes on.
    package init() {}

    /// Ends the stream when it has everything up to `end`, and what the server has of that segment.
    package func stop(at end: LSN) {
        position.store(min(end.position, Self.unset - 1), ordering: .releasing)
        wakeup.set()
    }

    /// Ends the stream where it is.
    package func stopNow() { stop(at: .zero) }

    /// Where to end; nil when not set.
    package var end: LSN? {
        let value = position.load(ordering: .acquiring)
        return value == Self.unset ? nil : LSN(value)
    }
}
