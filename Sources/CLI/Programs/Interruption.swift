import Glibc

/// Turns ^C and SIGTERM into the end of a task; the second one ends the process at once.
///
/// The signals are blocked in every thread and taken by a thread that does nothing else, so that no code runs inside a signal
/// handler. Programs that are started later inherit the block unless their starter resets it.
enum Interruption {
    /// Blocks the signals for this thread and all that it starts; call it first in the process.
    static func blockSignals() {
        unsafe withSignals { unsafe _ = pthread_sigmask(SIG_BLOCK, $0, nil) }
    }

    /// Watches from now on.
    /// - Parameter onFirst: is called once, from a thread of its own.
    static func watch(onFirst: @escaping @Sendable () -> Void) {
        let waiter = Waiter(onFirst: onFirst)
        var thread = pthread_t()
        // The thread takes over the reference that is passed to it.
        let argument = unsafe Unmanaged.passRetained(waiter).toOpaque()
        let result = unsafe pthread_create(
            &thread, nil,
            { argument in
                if let argument = unsafe argument {
                    unsafe Unmanaged<Waiter>.fromOpaque(argument).takeRetainedValue().run()
                }
                return nil
            }, argument)
        guard result == 0 else {
            unsafe Unmanaged<Waiter>.fromOpaque(argument).release()
            return
        }
        pthread_detach(thread)
    }

    private static func withSignals(_ body: (UnsafePointer<sigset_t>) -> Void) {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        unsafe sigaddset(&set, SIGINT)
        unsafe sigaddset(&set, SIGTERM)
        unsafe body(&set)
    }

    private final class Waiter: Sendable {
        let onFirst: @Sendable () -> Void

        init(onFirst: @escaping @Sendable () -> Void) { self.onFirst = onFirst }

        func run() {
            wait()
            onFirst()
            wait()
            _exit(ExitCode.failed.rawValue)
        }

        private func wait() {
            unsafe Interruption.withSignals { set in
                var signal: Int32 = 0
                while unsafe sigwait(set, &signal) != 0 {}
            }
        }
    }
}
