/// What the layers of one target are made with.
package struct LayerSettings: Sendable {
    /// What passes and how long it takes.
    package var clock: LayerClock
    /// When and how often a call is tried again.
    package var retry: RetryPolicy
    /// How long a call may take.
    package var limits = TimeLimits()
    /// Limits the bytes per second of all targets that share it; nil is no limit.
    package var bandwidth: BandwidthMeter?
    /// Counts what is done.
    package var counters = StorageCounters()
    /// Where drivers may block: the engine's `BlockingPool`. Nil is the system's own executor, for drivers that do not block.
    package var executor: (any TaskExecutor)?

    /// Makes settings.
    package init(clock: LayerClock, retry: RetryPolicy, executor: (any TaskExecutor)? = nil) {
        self.clock = clock
        self.retry = retry
        self.executor = executor
    }
}

/// The time as layers know it; tests let it pass as they like.
package struct LayerClock: Sendable {
    /// Time since some moment; never goes back.
    package var now: @Sendable () -> Duration
    /// Waits; throws at once when the task is cancelled.
    package var sleep: @Sendable (Duration) async throws -> Void

    /// Makes a clock.
    package init(
        now: @escaping @Sendable () -> Duration, sleep: @escaping @Sendable (Duration) async throws -> Void
    ) {
        self.now = now
        self.sleep = sleep
    }
}
