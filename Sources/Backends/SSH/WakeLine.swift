internal import BackupAPI
import Glibc

/// Wakes a thread that waits in `poll(2)`.
final class WakeLine: Sendable {
    private let ends: (waiting: Int32, waking: Int32)

    /// What the thread polls for reading.
    var descriptor: Int32 { ends.waiting }

    /// Makes a line.
    /// - Throws: `ChannelLoss` when no descriptor is left.
    init() throws(ChannelLoss) { ends = try Sockets.pair() }

    /// Wakes the thread, now or when it polls next.
    func wake() {
        var byte: UInt8 = 1
        // Sound: one byte of a local variable. A full line is as good as one more byte.
        _ = unsafe send(ends.waking, &byte, 1, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
    }

    /// Takes what `wake` left.
    func clear() {
        var bytes: (UInt64, UInt64) = (0, 0)
        // Sound: the buffer is 16 bytes.
        while unsafe recv(ends.waiting, &bytes, 16, Int32(MSG_DONTWAIT)) > 0 {}
    }

    deinit {
        close(ends.waiting)
        close(ends.waking)
    }
}

/// Makes connected sockets that programs started later do not inherit.
enum Sockets {
    /// Two ends of a stream.
    static func pair() throws(ChannelLoss) -> (Int32, Int32) {
        var ends: (Int32, Int32) = (-1, -1)
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        // Sound: the tuple is laid out as the array of two that socketpair(2) fills.
        let result = unsafe withUnsafeMutableBytes(of: &ends) { bytes in
            unsafe socketpair(AF_UNIX, type, 0, bytes.baseAddress?.assumingMemoryBound(to: Int32.self))
        }
        guard result == 0 else {
            throw ChannelLoss(.failed, detail: "socketpair: \(SystemWords.text(of: errno))")
        }
        return ends
    }
}

/// The system's words for an error number.
enum SystemWords {
    /// Such as "Connection refused".
    static func text(of number: Int32) -> String {
        // Sound: strerror gives a text that lives until the thread's next call, and it is copied here.
        guard let text = unsafe strerror(number) else { return "error \(number)" }
        return unsafe String(cString: text)
    }
}
