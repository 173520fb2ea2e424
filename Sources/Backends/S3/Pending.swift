import Glibc
import Synchronization

/// The result of blocking work that runs on a thread of its own.
///
/// One task waits for it, at most once; nothing is blocked while it waits.
final class Pending<Value: Sendable, Failure: Error>: Sendable {
    private enum State {
        case running
        case awaited(CheckedContinuation<Result<Value, Failure>, Never>)
        case done(Result<Value, Failure>)
    }

    private let state = Mutex<State>(.running)

    /// Starts a thread for `body`. Where the system gives none, the work is done on the calling thread.
    init(_ body: @escaping @Sendable () -> Result<Value, Failure>) {
        Thread.start { [self] in finish(body()) }
    }

    /// Waits for the result.
    func result() async -> Result<Value, Failure> {
        await withCheckedContinuation { continuation in
            let ready: Result<Value, Failure>? = state.withLock { state in
                if case .done(let result) = state { return result }
                state = .awaited(continuation)
                return nil
            }
            if let ready { continuation.resume(returning: ready) }
        }
    }

    private func finish(_ result: Result<Value, Failure>) {
        let waiting: CheckedContinuation<Result<Value, Failure>, Never>? = state.withLock { state in
            defer { state = .done(result) }
            guard case .awaited(let continuation) = state else { return nil }
            return continuation
        }
        waiting?.resume(returning: result)
    }
}

/// Runs work on a detached thread with a stack of 512 KiB.
private enum Thread {
    private final class Work: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    static func start(_ body: @escaping @Sendable () -> Void) {
        let work = Work(body)
        // Sound: the reference that is retained here is released by the thread that runs it, or below when there is none.
        let reference = unsafe Unmanaged.passRetained(work)
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        unsafe pthread_attr_setstacksize(&attributes, 512 << 10)
        defer { unsafe pthread_attr_destroy(&attributes) }
        var thread = pthread_t()
        let status = unsafe pthread_create(
            &thread, &attributes,
            { context in
                guard let context = unsafe context else { return nil }
                unsafe Unmanaged<Work>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, reference.toOpaque())
        if status != 0 { unsafe reference.takeRetainedValue().run() }
    }
}
