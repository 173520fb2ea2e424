import Logging
import Synchronization

/// Stores what comes into an inbox on every target, oldest first and two at a time, and then removes it there.
package struct WALUpload: Sendable {
    /// While one file waits for a disk or a network, another one is read and encoded.
    private static let filesAtOnce = 2
    private static let longestPause: Duration = .seconds(60)
    private let server: String
    private let inbox: WALInbox
    private let limits: WALInboxLimits
    private let progress: ReceiverProgress
    private let store: @Sendable (_ path: String) async throws -> Void

    /// - Parameter store: stores one file, and returns when it is durable on every target. A file that is there already is no fault.
    package init(
        server: String, inbox: WALInbox, limits: WALInboxLimits, progress: ReceiverProgress,
        store: @escaping @Sendable (_ path: String) async throws -> Void
    ) {
        self.server = server
        self.inbox = inbox
        self.limits = limits
        self.progress = progress
        self.store = store
    }

    /// Stores until the task is cancelled. While a target does not take files they wait, in their order.
    package func run() async {
        var pause: Duration = .seconds(1)
        while !Task.isCancelled {
            do {
                try await storeAll()
                pause = .seconds(1)
                guard try await inbox.arrivals.next() != nil else { return }
            } catch {
                guard !Task.isCancelled else { return }
                warn(error)
                guard (try? await Task.sleep(for: pause)) != nil else { return }
                pause = min(pause * 2, Self.longestPause)
            }
        }
    }

    /// Stores all that is there now.
    package func storeAll() async throws {
        while true {
            let names = try inbox.finished()
            try count()
            guard !names.isEmpty else { return }
            // A timeline's history comes before its segments.
            let batch = Array(Self.isHistory(names[0]) ? names.prefix(1) : names.prefix { !Self.isHistory($0) })
            let stored = Mutex((waiting: batch[...], done: Set<String>()))
            _ = try await batch.map(atOnce: Self.filesAtOnce) { name in
                try await store(inbox.path(name))
                try stored.withLock { stored in
                    stored.done.insert(name)
                    try removeStored(&stored.waiting, stored.done)
                }
            }
        }
    }

    private static func isHistory(_ name: String) -> Bool { name.hasSuffix(".history") }

    /// Removes what is stored with all before it. A receiver that begins again goes on behind the last file in the inbox: that must
    /// be the last that came.
    private func removeStored(_ waiting: inout ArraySlice<String>, _ done: Set<String>) throws {
        while let name = waiting.first, done.contains(name) {
            try inbox.remove(name)
            waiting.removeFirst()
            progress.change { ($0.archived, $0.uploadFault) = (name, nil) }
        }
        try count()
    }

    private func count() throws {
        let (files, bytes) = (try inbox.finished().count, try inbox.byteCount())
        progress.change { ($0.waitingCount, $0.waitingByteCount) = (files, bytes) }
    }

    private func warn(_ error: any Error) {
        progress.change { $0.uploadFault = "\(error)" }
        try? count()
        let waiting = progress.reading.waitingByteCount
        let metadata: Logger.Metadata = [
            LogKeys.server: "\(server)", LogKeys.error: "\(error)", LogKeys.waitingBytes: "\(waiting)",
        ]
        if limits.isHalfFull(waiting, free: inbox.freeByteCount()) {
            Logger.current.error(
                "WAL waits to be stored, and more than half of the room for it is used: when it is full, the server's disk fills",
                metadata: metadata)
        } else {
            Logger.current.warning("WAL waits to be stored", metadata: metadata)
        }
    }
}
