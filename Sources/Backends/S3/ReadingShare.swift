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

    /// How many runs one of the open readings may fetch ahead, when they all together have one more than `number` in memory: those
    /// that are ahead, and of each the one that is being read.
    func part(of number: Int) -> Int { max(0, (number + 1) / max(1, count.open.load(ordering: .relaxed)) - 1) }
}
