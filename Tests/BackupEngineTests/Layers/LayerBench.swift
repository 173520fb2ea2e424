import BackupAPI
import BackupEngine
import Synchronization

/// A clock on which every wait is over at once, and which tells how long all of them were.
final class SteppingClock: Sendable {
    private let state = Mutex((now: Duration.zero, waits: [Duration]()))
    private let gate: Gate?

    /// Makes a clock; nobody's wait ends before `gate` is open.
    init(gate: Gate? = nil) { self.gate = gate }

    /// The waits so far, in order.
    var waits: [Duration] { state.withLock { $0.waits } }

    /// How much time has passed.
    var now: Duration { state.withLock { $0.now } }

    var layerClock: LayerClock {
        LayerClock(
            now: { self.now },
            sleep: { duration in
                try Task.checkCancellation()
                await self.gate?.wait()
                self.state.withLock {
                    $0.now += duration
                    $0.waits.append(duration)
                }
            })
    }
}

/// Something that tasks wait for, whether they are cancelled or not.
final class Gate: Sendable {
    private let state = Mutex((isOpen: false, waiters: [CheckedContinuation<Void, Never>]()))

    func open() {
        let waiters = state.withLock { state in
            state.isOpen = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    func wait() async {
        await withCheckedContinuation { waiter in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiters.append(waiter) }
                return state.isOpen
            }
            if isOpen { waiter.resume() }
        }
    }
}

/// The layers, each alone and all together.
enum LayerChoice: String, CaseIterable, Sendable {
    case observe, retry, timeout, bandwidth, concurrency, all

    /// Wraps a backend, with real time; repetitions do not wait.
    func wrap(_ backend: any StorageBackend) -> any StorageBackend {
        let settings = LayerChoice.settings
        return switch self {
        case .observe: ObserveLayer(backend, counters: settings.counters, clock: settings.clock)
        case .retry: RetryLayer(backend, policy: settings.retry, clock: settings.clock)
        case .timeout: TimeoutLayer(backend, limits: settings.limits, clock: settings.clock)
        case .bandwidth:
            BandwidthLayer(backend, meter: BandwidthMeter(bytesPerSecond: 1 << 34, clock: settings.clock))
        case .concurrency: ConcurrencyLayer(backend)
        case .all: LayerStack.wrap(backend, settings)
        }
    }

    /// Settings with real time and repetitions that do not wait.
    static var settings: LayerSettings {
        let start = ContinuousClock.now
        let clock = LayerClock(now: { ContinuousClock.now - start }, sleep: { try await Task.sleep(for: $0) })
        var settings = LayerSettings(clock: clock, retry: RetryPolicy { 0 }, executor: BlockingPool())
        settings.bandwidth = BandwidthMeter(bytesPerSecond: 1 << 34, clock: clock)
        return settings
    }
}

extension StorageError {
    /// An error of a test's place.
    static func test(_ reason: Reason, wait: Duration? = nil) -> StorageError {
        StorageError(reason, operation: .read, target: "memory:", waitAdvice: wait)
    }
}

/// The reason that `body` throws for; nil when it throws nothing, or something else.
func storageReason(_ body: () async throws -> Void) async -> StorageError.Reason? {
    do {
        try await body()
        return nil
    } catch {
        return (error as? StorageError)?.reason
    }
}
