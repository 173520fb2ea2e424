import PostgresClient
import Synchronization

/// Keeps a small base backup in memory.
final class CollectingReceiver: BaseBackupReceiver {
    private(set) var start: BaseBackupStart?
    private(set) var archives: [(archive: BaseBackupArchive, bytes: [UInt8])] = []
    private(set) var endedArchiveCount = 0
    private(set) var manifest: [UInt8] = []
    /// Called for each piece of an archive.
    var onBytes: () async throws -> Void = {}

    func backupStarted(_ start: BaseBackupStart) { self.start = start }

    func archiveStarted(_ archive: BaseBackupArchive) { archives.append((archive, [])) }

    func archiveBytes(_ bytes: RawSpan) async throws {
        unsafe bytes.withUnsafeBytes { unsafe archives[archives.count - 1].bytes.append(contentsOf: $0) }
        try await onBytes()
    }

    func archiveEnded() { endedArchiveCount += 1 }

    func manifestBytes(_ bytes: RawSpan) {
        unsafe bytes.withUnsafeBytes { unsafe manifest.append(contentsOf: $0) }
    }

    /// The bytes of the archive of that name.
    func bytes(of name: String) -> [UInt8]? { archives.first { $0.archive.name == name }?.bytes }
}

/// Keeps a little WAL in memory.
final class CollectingWALReceiver: WALReceiver, Sendable {
    private let collected = Mutex<[UInt8]>([])
    private let calls = Mutex<Int>(0)
    private let onBytes: @Sendable (Int) -> Void

    /// - Parameter onBytes: called with the number of pieces so far.
    init(onBytes: @escaping @Sendable (Int) -> Void = { _ in }) { self.onBytes = onBytes }

    var bytes: [UInt8] { collected.withLock { $0 } }

    func walBytes(_ bytes: RawSpan, at position: LSN) -> LSN? {
        let piece = unsafe bytes.withUnsafeBytes { unsafe Array($0) }
        collected.withLock { $0 += piece }
        onBytes(
            calls.withLock {
                $0 += 1
                return $0
            })
        return position.advanced(by: bytes.byteCount)
    }
}

/// Takes no WAL until it is released, as a pipe whose storage stands still.
final class HeldWALReceiver: WALReceiver, Sendable {
    private let gate = AsyncStream.makeStream(of: Void.self)

    func release() { gate.continuation.finish() }

    func walBytes(_ bytes: RawSpan, at position: LSN) async -> LSN? {
        for await _ in gate.stream {}
        return nil
    }
}
