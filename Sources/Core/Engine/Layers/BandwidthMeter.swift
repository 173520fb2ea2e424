import Synchronization

/// Limits bytes per second over all transfers that share it: a token bucket, kept as the moment up to which all bytes are
/// paid for (the generic cell rate algorithm, ITU-T I.371, annex A). Those who wait go on in the order they came.
package final class BandwidthMeter: Sendable {
    /// What was not used for so long may be made up for, so that a timer that fires late does not lower the rate.
    private static let credit: Duration = .milliseconds(250)

    private let bytesPerSecond: Int
    private let clock: LayerClock
    private let paidUntil = Mutex<Duration?>(nil)

    /// Makes a meter.
    /// - Parameter bytesPerSecond: at least 1.
    package init(bytesPerSecond: Int, clock: LayerClock) {
        self.bytesPerSecond = max(1, bytesPerSecond)
        self.clock = clock
    }

    /// Waits until so many bytes may pass.
    /// - Throws: `CancellationError` at once when the task is cancelled; the bytes stay paid for.
    package func pass(byteCount: Int) async throws {
        guard byteCount > 0 else { return }
        let cost = Duration.seconds(Double(byteCount) / Double(bytesPerSecond))
        let wait = paidUntil.withLock { paidUntil in
            let now = clock.now()
            let start = max(paidUntil ?? now, now - Self.credit)
            paidUntil = start + cost
            return start - now
        }
        if wait > .zero { try await clock.sleep(wait) }
    }
}
