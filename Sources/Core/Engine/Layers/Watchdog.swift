import Synchronization

/// Watches calls and tells which ones take too long. One task looks at all of them, and only while there are any: a timer for
/// each chunk would stay with the system long after its chunk.
final class Watchdog: Sendable {
    private struct Watch {
        let deadline: Duration
        let expire: @Sendable () -> Void
    }

    private struct State {
        var watches: [Int: Watch] = [:]
        var nextID = 0
        var isPatrolling = false
    }

    private let clock: LayerClock
    private let interval: Duration
    private let state = Mutex(State())

    /// Makes a watchdog that looks once in each interval, and so is late by that much at most.
    init(clock: LayerClock, interval: Duration) {
        self.clock = clock
        self.interval = interval
    }

    /// Begins to watch; `expire` is called once when the time is over, unless `end` is called before.
    func begin(limit: Duration, _ expire: @escaping @Sendable () -> Void) -> Int {
        let deadline = clock.now() + limit
        let (id, startsPatrol) = state.withLock { state in
            state.nextID += 1
            state.watches[state.nextID] = Watch(deadline: deadline, expire: expire)
            defer { state.isPatrolling = true }
            return (state.nextID, !state.isPatrolling)
        }
        if startsPatrol { Task { await patrol() } }
        return id
    }

    /// Ends a watch.
    func end(_ id: Int) { state.withLock { _ = $0.watches.removeValue(forKey: id) } }

    private func patrol() async {
        while true {
            // Nobody cancels this task.
            try? await clock.sleep(interval)
            let now = clock.now()
            let (overdue, isDone) = state.withLock { state in
                let overdue = state.watches.filter { $0.value.deadline <= now }
                for id in overdue.keys { state.watches.removeValue(forKey: id) }
                if state.watches.isEmpty { state.isPatrolling = false }
                return (overdue.values.map(\.expire), state.watches.isEmpty)
            }
            for expire in overdue { expire() }
            if isDone { return }
        }
    }
}
