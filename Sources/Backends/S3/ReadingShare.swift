import Synchronization

/// How many readings of a client are open.
final class ReadingCount: Sendable {
    fileprivate let open = Atomic<Int>(0)
}

/// One open reading; it ends with its last reference.
final class ReadingShare: Sendable {
    private let count: ReadingCount

    init(_ count: ReadingCount) {
        self.count = count
        count.open.add(1, ordering: .relaxed)
    }

    deinit { count.open.subtract(1, ordering: .relaxed) }

    /// What of a number one of the open readings may have; one at least.
    func part(of number: Int) -> Int { max(1, number / max(1, count.open.load(ordering: .relaxed))) }
}
