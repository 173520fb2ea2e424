import BackupAPI
import Logging

/// When and how often a call is tried again.
///
/// Before the n-th repetition it waits a random time between nothing and `firstDelay` × 2ⁿ⁻¹ ("full jitter": AWS Architecture
/// Blog, "Exponential Backoff And Jitter"), so that many clients do not come back at the same moment; where the place says how
/// long to wait, that long and the random time on top.
package struct RetryPolicy: Sendable {
    /// How often a call is made at most.
    package var attemptCount = 7
    /// The longest wait before the first repetition.
    package var firstDelay: Duration = .milliseconds(250)
    /// The longest random wait.
    package var longestDelay: Duration = .seconds(16)
    /// The longest time that all waits of one call take together.
    package var budget: Duration = .seconds(120)
    /// A random number from 0 up to 1.
    package var random: @Sendable () -> Double

    /// Makes the usual policy.
    package init(random: @escaping @Sendable () -> Double) { self.random = random }
}

/// What is left of the repetitions of one call.
struct RetryBudget: Sendable {
    private let policy: RetryPolicy
    private let clock: LayerClock
    private let counters: StorageCounters
    private var attempt = 1
    private var waited: Duration = .zero

    init(_ policy: RetryPolicy, clock: LayerClock, counters: StorageCounters) {
        self.policy = policy
        self.clock = clock
        self.counters = counters
    }

    /// Waits before a repetition.
    /// - Throws: `error` itself when the call is not to be repeated: it would fail again, or the budget is used up;
    ///   `.cancelled` at once when the task is cancelled while it waits.
    mutating func pause(after error: StorageError) async throws(StorageError) {
        let least: Duration
        switch error.retry {
        case .never: throw error
        case .later: least = .zero
        case .after(let told): least = max(.zero, told)
        }
        let longest = min(policy.longestDelay, policy.firstDelay * (1 << min(attempt - 1, 30)))
        let delay = least + longest * min(1, max(0, policy.random()))
        guard attempt < policy.attemptCount, waited + delay <= policy.budget else { throw error }
        attempt += 1
        waited += delay
        counters.countRetry()
        Logger.current.info(
            "a storage call is tried again",
            metadata: [
                LogKeys.error: "\(error.summary)", LogKeys.attempt: "\(attempt)",
                LogKeys.waitInMilliseconds: "\(delay.wholeMilliseconds)",
            ])
        let cancelled = StorageError(
            .cancelled, operation: error.operation, key: error.key, target: error.target,
            detail: "while waiting to try again after \(error.code)")
        do {
            try await clock.sleep(delay)
        } catch {
            throw cancelled
        }
    }
}
