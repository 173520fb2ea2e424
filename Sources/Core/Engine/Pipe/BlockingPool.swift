import Glibc
import Synchronization

/// Threads on which calls may block: libpq, system calls, compression, backends.
///
/// Every operation of the engine runs under `withTaskExecutorPreference(pool)`, so nothing blocks Swift's own few threads.
/// Threads are started when work waits and none is idle, up to the limit, and live as long as the pool.
package final class BlockingPool: TaskExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
        var first = 0
        var idleThreads = 0
        var threads = 0
        var isClosed = false
    }

    /// A mutex and a condition that live as long as any thread needs them.
    @safe private final class Shared: @unchecked Sendable {
        // Sound: `state` is touched only while `mutex` is held; both C objects never move.
        let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        let wakeUp = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
        var state = State()

        init() {
            unsafe pthread_mutex_init(mutex, nil)
            unsafe pthread_cond_init(wakeUp, nil)
        }

        deinit {
            unsafe pthread_cond_destroy(wakeUp)
            unsafe pthread_mutex_destroy(mutex)
            unsafe wakeUp.deallocate()
            unsafe mutex.deallocate()
        }

        func lock() { unsafe pthread_mutex_lock(mutex) }
        func unlock() { unsafe pthread_mutex_unlock(mutex) }
        func signal() { unsafe pthread_cond_signal(wakeUp) }
        func wait() { unsafe pthread_cond_wait(wakeUp, mutex) }
    }

    private let shared = Shared()
    private let maximumThreadCount: Int

    /// Makes a pool without threads.
    /// - Parameter maximumThreadCount: how many calls may block at once; further jobs wait.
    package init(maximumThreadCount: Int = 64) { self.maximumThreadCount = maximumThreadCount }

    deinit {
        shared.lock()
        shared.state.isClosed = true
        unsafe pthread_cond_broadcast(shared.wakeUp)
        shared.unlock()
    }

    /// Called by the concurrency runtime.
    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        shared.lock()
        shared.state.jobs.append(job)
        let waiting = shared.state.jobs.count - shared.state.first
        let needsThread = shared.state.idleThreads < waiting && shared.state.threads < maximumThreadCount
        if needsThread { shared.state.threads += 1 }
        shared.signal()
        shared.unlock()
        if needsThread { startThread() }
    }

    private func startThread() {
        let worker = unsafe Worker(shared: shared, executor: asUnownedTaskExecutor())
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        unsafe pthread_attr_setstacksize(&attributes, 1 << 19)
        unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        var thread = pthread_t()
        let status = unsafe pthread_create(
            &thread, &attributes,
            { argument in
                // Sound: the pointer is the retained worker that was passed below, taken once.
                if let argument = unsafe argument {
                    unsafe Unmanaged<Worker>.fromOpaque(argument).takeRetainedValue().run()
                }
                return nil
            }, Unmanaged.passRetained(worker).toOpaque())
        unsafe pthread_attr_destroy(&attributes)
        if status != 0 {
            unsafe Unmanaged.passUnretained(worker).release()
            shared.lock()
            shared.state.threads -= 1
            precondition(shared.state.threads > 0, "the system gives no thread at all (errno \(status))")
            shared.unlock()
        }
    }

    @safe private final class Worker: @unchecked Sendable {
        private let shared: Shared
        // Sound: jobs come only while some task uses the pool, and such a task keeps the pool alive.
        private let executor: UnownedTaskExecutor

        init(shared: Shared, executor: UnownedTaskExecutor) {
            self.shared = shared
            unsafe self.executor = executor
        }

        func run() {
            while let job = next() { unsafe job.runSynchronously(on: executor) }
        }

        private func next() -> UnownedJob? {
            shared.lock()
            defer { shared.unlock() }
            while true {
                if shared.state.first < shared.state.jobs.count {
                    let job = shared.state.jobs[shared.state.first]
                    shared.state.first += 1
                    if shared.state.first == shared.state.jobs.count || shared.state.first > 1024 {
                        shared.state.jobs.removeFirst(shared.state.first)
                        shared.state.first = 0
                    }
                    return job
                }
                if shared.state.isClosed { return nil }
                shared.state.idleThreads += 1
                shared.wait()
                shared.state.idleThreads -= 1
            }
        }
    }
}
