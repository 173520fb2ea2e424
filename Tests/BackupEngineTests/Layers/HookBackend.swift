import BackupAPI
import BackupConformance
import Synchronization

/// A memory backend that calls a test before it looks at an object or takes a chunk, and that notices no cancellation.
final class HookBackend: StorageBackend {
    let memory: MemoryBackend
    let capabilities: Capabilities
    private let before: @Sendable () async -> Void
    private let counts = Mutex((now: 0, most: 0, aborts: 0, calls: 0))

    init(
        _ memory: MemoryBackend = MemoryBackend(), usefulConcurrency: Int = 4,
        before: @escaping @Sendable () async -> Void
    ) {
        self.memory = memory
        capabilities = Capabilities(
            durability: .unknown, hasAtomicCreate: true, hasAtomicReplace: true, usefulConcurrency: usefulConcurrency)
        self.before = before
    }

    var displayName: String { memory.displayName }

    /// The most calls that were under way at once.
    var mostCallsAtOnce: Int { counts.withLock { $0.most } }

    var callCount: Int { counts.withLock { $0.calls } }

    var abortCount: Int { counts.withLock { $0.aborts } }

    func stat(_ key: ObjectKey) async throws(StorageError) -> ObjectInfo {
        await hook()
        return try await memory.stat(key)
    }

    func openRead(_ key: ObjectKey, range: ByteRange?) async throws(StorageError) -> any ObjectReader {
        try await memory.openRead(key, range: range)
    }

    func beginWrite(_ key: ObjectKey, options: WriteOptions) async throws(StorageError) -> any UploadDriver {
        HookSink(try await memory.beginWrite(key, options: options), place: self)
    }

    func list(_ request: ListRequest) async throws(StorageError) -> ListPage { try await memory.list(request) }

    func delete(_ keys: [ObjectKey]) async throws(StorageError) -> [ObjectKey: StorageError] {
        try await memory.delete(keys)
    }

    func sweepUnfinished(prefix: String) async throws(StorageError) -> Int { 0 }

    func freeByteCount() async throws(StorageError) -> Int? { nil }

    func close() async {}

    fileprivate func hook() async {
        counts.withLock {
            $0.calls += 1
            $0.now += 1
            $0.most = max($0.most, $0.now)
        }
        await before()
        counts.withLock { $0.now -= 1 }
    }

    fileprivate func noteAbort() { counts.withLock { $0.aborts += 1 } }
}

private final class HookSink: UploadDriver {
    private let inner: any UploadDriver
    private let place: HookBackend

    init(_ inner: any UploadDriver, place: HookBackend) {
        self.inner = inner
        self.place = place
    }

    func write(_ bytes: RawSpan) async throws(StorageError) {
        await place.hook()
        try await inner.write(bytes)
    }

    func commit() async throws(StorageError) { try await inner.commit() }

    func abort() async {
        place.noteAbort()
        await inner.abort()
    }
}
