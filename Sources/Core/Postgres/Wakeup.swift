import Glibc
import Synchronization

/// Wakes a thread that waits in `poll`: any thread sets it once, and the descriptor stays readable.
final class Wakeup: Sendable {
    private let flag = Atomic<Bool>(false)
    /// Readable once set; -1 when the process has no descriptor left, and then only `isSet` tells.
    let descriptor: Int32
    private let writeEnd: Int32

    init() {
        var ends: [Int32] = [-1, -1]
        if unsafe pipe(&ends) == 0 {
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
        }
        (descriptor, writeEnd) = (ends[0], ends[1])
    }

    /// Whether it was set.
    var isSet: Bool { flag.load(ordering: .acquiring) }

    /// Sets it.
    func set() {
        guard !flag.exchange(true, ordering: .acquiringAndReleasing), writeEnd >= 0 else { return }
        var byte: UInt8 = 1
        _ = unsafe write(writeEnd, &byte, 1)
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
        if writeEnd >= 0 { close(writeEnd) }
    }
}
