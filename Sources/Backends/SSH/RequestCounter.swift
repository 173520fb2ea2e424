import Synchronization

/// Counts requests by kind, for tests and for `target check`.
final class RequestCounter: Sendable {
    private let counts = Mutex<[String: Int]>([:])

    /// Counts one request.
    func count(_ kind: String) { counts.withLock { $0[kind, default: 0] += 1 } }

    /// All counts so far.
    var snapshot: [String: Int] { counts.withLock { $0 } }
}
