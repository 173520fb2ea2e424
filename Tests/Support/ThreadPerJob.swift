import Glibc

/// Runs every piece of a task on a thread of its own, so that code under test may block as the engine lets it.
package final class ThreadPerJob: TaskExecutor {
    /// Makes an executor.
    package init() {}

    package func enqueue(_ job: consuming ExecutorJob) {
        let work = Work(job: UnownedJob(job), executor: self)
        var thread = pthread_t()
        let context = unsafe Unmanaged.passRetained(work).toOpaque()
        let code = unsafe pthread_create(
            &thread, nil,
            { context in
                guard let context = unsafe context else { return nil }
                unsafe Unmanaged<Work>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, context)
        precondition(code == 0, "the machine gives no more threads")
        pthread_detach(thread)
    }

    private final class Work: Sendable {
        private let job: UnownedJob
        private let executor: ThreadPerJob

        init(job: UnownedJob, executor: ThreadPerJob) {
            self.job = job
            self.executor = executor
        }

        func run() { unsafe job.runSynchronously(on: executor.asUnownedTaskExecutor()) }
    }
}

/// Runs `body`, and the child tasks it makes, where blocking calls hold up nobody else.
package func onThreads<Result>(_ body: () async throws -> sending Result) async rethrows -> Result {
    try await withTaskExecutorPreference(ThreadPerJob(), operation: body)
}
