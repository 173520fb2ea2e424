internal import BackupAPI
import Synchronization

/// The temporaries of this process: those in use, and those that could not be removed.
final class TemporaryPlaces: Sendable {
    private struct State {
        var live: Set<String> = []
        var abandoned: Set<String> = []
    }

    private let state = Mutex(State())

    /// Makes a new path in a folder, with 128 random bits, and notes it as in use.
    func make(in folder: String) -> String {
        var generator = SystemRandomNumberGenerator()
        let digits = (0..<2).map { _ in
            let text = String(generator.next(), radix: 16)
            return String(repeating: "0", count: 16 - text.utf8.count) + text
        }
        let path = "\(folder)/\(ObjectKey.temporaryPrefix)\(digits.joined())"
        state.withLock { _ = $0.live.insert(path) }
        return path
    }

    /// Notes that a temporary is gone.
    func forget(_ path: String) {
        state.withLock { state in
            state.live.remove(path)
            state.abandoned.remove(path)
        }
    }

    /// Notes that nobody uses a temporary any more, and that it may still be there.
    func abandon(_ path: String) {
        state.withLock { state in
            state.live.remove(path)
            state.abandoned.insert(path)
        }
    }

    /// Whether an upload of this process uses it.
    func isLive(_ path: String) -> Bool { state.withLock { $0.live.contains(path) } }

    /// Whether it is left over from an upload of this process.
    func isAbandoned(_ path: String) -> Bool { state.withLock { $0.abandoned.contains(path) } }
}
