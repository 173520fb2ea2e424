/// How much WAL may wait here.
package struct WALInboxLimits: Sendable, Hashable {
    /// Most bytes in the inbox; nil for as many as the file system has.
    package var byteCount: Int?
    /// Bytes that stay free on the file system, whatever the limit.
    package var reserve: Int

    /// Makes limits.
    package init(byteCount: Int? = nil, reserve: Int = 256 << 20) {
        self.byteCount = byteCount
        self.reserve = reserve
    }

    /// Checks that another segment may come.
    /// - Throws: `.inboxFull`. The server keeps its WAL as long as the slot says, so nothing is lost while that waits.
    func requireRoom(for wanted: Int, in inbox: WALInbox) throws(EngineError) {
        let used = try inbox.byteCount()
        if let byteCount, used + wanted > byteCount {
            throw EngineError(.inboxFull, "\(used) bytes of WAL wait in '\(inbox.folder)', the limit is \(byteCount)")
        }
        let free = inbox.freeByteCount()
        guard free >= wanted + reserve else {
            throw EngineError(
                .inboxFull, "\(used) bytes of WAL wait in '\(inbox.folder)', and its file system has \(free) left")
        }
    }

    /// Whether more than half of what may wait is waiting.
    func isHalfFull(_ used: Int, free: Int) -> Bool {
        if let byteCount, used > byteCount / 2 { return true }
        return used > free
    }
}
