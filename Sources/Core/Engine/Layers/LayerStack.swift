package import BackupAPI

/// Puts all layers around a driver. **This is the one place that fixes their order.**
///
/// From the caller to the driver:
///
/// 1. `observe` sees what callers see: one call each, whatever it took.
/// 2. `retry` repeats a whole call, so each repetition goes through everything below.
/// 3. `bandwidth` waits before a slot is taken, so that a slow limit blocks nobody else's small calls.
/// 4. `concurrency` lets as many calls through as make the place faster.
/// 5. `timeout` stands next to the driver: its clock measures the place, and not our own waiting for a slot or for
///    bandwidth. Every holder of a slot is limited, and so nobody waits for a slot for ever.
/// 6. The driver; in tests, faults are injected here.
package enum LayerStack {
    /// How often a target is opened at most. To connect may take long where nobody answers, and a person waits.
    private static let mostOpenings = 3

    /// Opens a target and puts all layers around its driver. A fault that may pass, such as a login that was turned away, is met
    /// like one of a later call: it is tried again, though not as often.
    package static func open(
        _ settings: LayerSettings, driver: () async throws(StorageError) -> any StorageBackend
    ) async throws(StorageError) -> any StorageBackend {
        var policy = settings.retry
        policy.attemptCount = min(policy.attemptCount, mostOpenings)
        var budget = RetryBudget(policy, clock: settings.clock, counters: settings.counters)
        while true {
            do throws(StorageError) {
                let opened = try await driver()
                return wrap(opened, settings)
            } catch {
                try await budget.pause(after: error)
            }
        }
    }

    /// Wraps a driver that was just opened. The result keeps every law that the driver keeps.
    package static func wrap(_ driver: any StorageBackend, _ settings: LayerSettings) -> any StorageBackend {
        var place = driver
        place = TimeoutLayer(place, limits: settings.limits, clock: settings.clock, executor: settings.executor)
        place = ConcurrencyLayer(place)
        if let bandwidth = settings.bandwidth { place = BandwidthLayer(place, meter: bandwidth) }
        place = RetryLayer(place, policy: settings.retry, clock: settings.clock, counters: settings.counters)
        place = ObserveLayer(place, counters: settings.counters, clock: settings.clock)
        return place
    }
}
