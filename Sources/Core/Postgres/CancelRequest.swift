import CLibpq
import Glibc
import Synchronization

/// Asks a server to give up the command that runs on a connection, and waits for that only so long.
///
/// `PQcancel` opens a connection of its own and then waits without a limit until the server has closed it (libpq 15, `fe-connect.c`);
/// a frozen server never does. So it runs on a thread of its own. A thread that is left behind ends when the server goes on, or
/// its machine says that it is gone.
///
/// Unchecked, because `request` is used by that thread alone.
@safe final class CancelRequest: @unchecked Sendable {
    private let request: OpaquePointer
    private let ended = Wakeup()
    private let wasTaken = Atomic<Bool>(false)

    /// Prepares a request; nil when the connection has none to make.
    init?(_ connection: OpaquePointer) {
        guard let request = unsafe PQgetCancel(connection) else { return nil }
        unsafe self.request = request
    }

    deinit { unsafe PQfreeCancel(request) }

    /// Sends it, once.
    /// - Returns: whether the server took it within the limit; the command may have ended before that.
    func send(timeLimit: Duration) -> Bool {
        var thread = pthread_t()
        let context = unsafe Unmanaged.passRetained(self)
        let code = unsafe pthread_create(
            &thread, nil,
            { context in
                // Sound: it is the object that was retained for this thread.
                if let context = unsafe context {
                    unsafe Unmanaged<CancelRequest>.fromOpaque(context).takeRetainedValue().run()
                }
                return nil
            }, context.toOpaque())
        guard code == 0 else {
            unsafe context.release()
            return false
        }
        pthread_detach(thread)
        waitForEnd(by: .now + timeLimit)
        return wasTaken.load(ordering: .acquiring)
    }

    private func run() {
        var words = [CChar](repeating: 0, count: 256)
        wasTaken.store(unsafe PQcancel(request, &words, Int32(words.count)) == 1, ordering: .releasing)
        ended.set()
    }

    private func waitForEnd(by deadline: ContinuousClock.Instant) {
        while !ended.isSet {
            let left = deadline - .now
            guard left > .zero else { return }
            var watched = pollfd(fd: ended.descriptor, events: Int16(POLLIN), revents: 0)
            // Not longer than a moment, in case the descriptor could not be made.
            _ = unsafe poll(&watched, 1, Int32(min(100, left / .milliseconds(1) + 1)))
        }
    }
}
