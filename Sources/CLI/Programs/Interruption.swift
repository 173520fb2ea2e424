import Glibc

/// Turns ^C and SIGTERM into the end of a task; the second one ends the process at once.
///
/// The signals are blocked before any other thread is there, so that every thread has them blocked, and the main thread takes them
/// one by one: no code runs inside a signal handler. Programs that are started later inherit the block unless their starter resets
/// it.
enum Interruption {
    /// Blocks the signals for this thread and all that it starts; call it before anything that starts threads.
    static func blockSignals() {
        unsafe withSignals { unsafe _ = pthread_sigmask(SIG_BLOCK, $0, nil) }
    }

    /// Takes signals until the process ends, which another thread may do at any moment.
    /// - Parameter onFirst: is called once, on this thread.
    static func waitForSignals(exitCodeAtOnce: ExitCode, onFirst: () -> Void) -> Never {
        waitForSignal()
        onFirst()
        waitForSignal()
        _exit(exitCodeAtOnce.rawValue)
    }

    private static func waitForSignal() {
        unsafe withSignals { set in
            var signal: Int32 = 0
            while unsafe sigwait(set, &signal) != 0 {}
        }
    }

    private static func withSignals(_ body: (UnsafePointer<sigset_t>) -> Void) {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        unsafe sigaddset(&set, SIGINT)
        unsafe sigaddset(&set, SIGTERM)
        unsafe body(&set)
    }
}
