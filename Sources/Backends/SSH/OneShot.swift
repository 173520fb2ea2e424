import Synchronization

/// A value that comes once, and those who wait for it. The first value wins.
final class OneShot<Value: Sendable>: Sendable {
    private struct State {
        var value: Value?
        var waiters: [CheckedContinuation<Value, Never>] = []
    }

    private let state = Mutex(State())

    /// The value, if it has come.
    var current: Value? { state.withLock { $0.value } }

    /// Sets the value and wakes who waits.
    /// - Returns: false when there was a value already, which then stays.
    @discardableResult
    func resolve(_ value: Value) -> Bool {
        let (isFirst, waiters) = state.withLock { state -> (Bool, [CheckedContinuation<Value, Never>]) in
            guard state.value == nil else { return (false, []) }
            state.value = value
            defer { state.waiters = [] }
            return (true, state.waiters)
        }
        for waiter in waiters { waiter.resume(returning: value) }
        return isFirst
    }

    /// Waits for the value; cancellation does not end the wait.
    func value() async -> Value {
        if let current { return current }
        return await withCheckedContinuation { waiter in
            let value = state.withLock { state -> Value? in
                if let value = state.value { return value }
                state.waiters.append(waiter)
                return nil
            }
            if let value { waiter.resume(returning: value) }
        }
    }
}
