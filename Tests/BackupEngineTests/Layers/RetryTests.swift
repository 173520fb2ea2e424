import BackupAPI
import BackupConformance
import BackupEngine
import Synchronization
import Testing

@Suite struct RetryTests {
    private let clock = SteppingClock()
    private let memory = MemoryBackend()

    private func layer(
        _ place: any StorageBackend, random: Double = 1, _ change: (inout RetryPolicy) -> Void = { _ in }
    ) -> RetryLayer {
        var policy = RetryPolicy { random }
        change(&policy)
        return RetryLayer(place, policy: policy, clock: clock.layerClock)
    }

    private func failing(_ error: StorageError, times: Int = .max) -> FaultyBackend {
        FaultyBackend(memory) { $0.number <= times ? .failBefore(error) : nil }
    }

    @Test func `waits double up to the longest`() async throws {
        let place = layer(failing(.test(.unavailable))) { $0.longestDelay = .seconds(2) }

        let error = await #expect(throws: StorageError.self) { try await place.freeByteCount() }

        #expect(error == .test(.unavailable))
        #expect(
            clock.waits == [.milliseconds(250), .milliseconds(500), .seconds(1), .seconds(2), .seconds(2), .seconds(2)])
    }

    @Test(arguments: [(StorageError.Reason.unavailable, 3), (.notAuthenticated, 1)])
    func `opening is tried again where that may help`(reason: StorageError.Reason, attempts: Int) async throws {
        var settings = LayerSettings(clock: clock.layerClock, retry: RetryPolicy { 1 })
        settings.retry.attemptCount = 5
        var count = 0
        let place = try? await LayerStack.open(settings) { () async throws(StorageError) in
            count += 1
            guard count == 3 else { throw StorageError.test(reason) }
            return memory
        }

        #expect(count == attempts)
        #expect((place == nil) == (attempts == 1))
    }

    @Test func `a wait is anything between nothing and the longest`() async throws {
        let place = layer(failing(.test(.throttled), times: 2), random: 0.5)

        _ = try await place.freeByteCount()

        #expect(clock.waits == [.milliseconds(125), .milliseconds(250)])
    }

    @Test func `the time that a place names is waited for, and the random time on top`() async throws {
        let place = layer(failing(.test(.throttled, wait: .seconds(7)), times: 1))

        _ = try await place.freeByteCount()

        #expect(clock.waits == [.milliseconds(7250)])
    }

    @Test func `a place that names a time beyond the budget ends the call at once`() async throws {
        let faulty = failing(.test(.throttled, wait: .seconds(3600)))

        let error = await #expect(throws: StorageError.self) { try await layer(faulty).freeByteCount() }

        #expect(error?.reason == .throttled)
        #expect(faulty.callCount == 1)
        #expect(clock.waits.isEmpty)
    }

    @Test func `a call that is cancelled while it waits ends at once`() async throws {
        let (waiting, isWaiting) = AsyncStream<Void>.makeStream()
        let clock = LayerClock(
            now: { .zero },
            sleep: { _ in
                isWaiting.finish()
                try await Task.sleep(for: .seconds(3600))
            })
        let place = RetryLayer(failing(.test(.unavailable)), policy: RetryPolicy { 1 }, clock: clock)
        let task = Task { await storageReason { _ = try await place.freeByteCount() } }

        for await _ in waiting {}
        task.cancel()

        #expect(await task.value == .cancelled)
    }

    @Test func `only those keys are deleted again whose errors may pass`() async throws {
        let keys = try ["busy", "fine", "locked"].map { try ObjectKey($0) }
        for key in keys { try await memory.put(key, bytes: [1]) }
        let asked = Mutex<[[String]]>([])
        let place = RefusingBackend(memory) { wanted in
            asked.withLock { $0.append(wanted.map(\.string)) }
            let isFirst = asked.withLock { $0.count == 1 }
            var refused: [ObjectKey: StorageError] = [:]
            for key in wanted where key.string == "locked" { refused[key] = .test(.permissionDenied) }
            for key in wanted where key.string == "busy" && isFirst { refused[key] = .test(.throttled) }
            return refused
        }

        let refused = try await layer(place).delete(keys)

        #expect(refused.keys.map(\.string) == ["locked"])
        #expect(asked.withLock { $0 } == [["busy", "fine", "locked"], ["busy"]])
        #expect(memory.keys.map(\.string) == ["locked"])
    }
}

/// Refuses to delete what a test says, and deletes the rest.
private struct RefusingBackend: StorageBackend {
    private let inner: MemoryBackend
    private let refuse: @Sendable ([ObjectKey]) -> [ObjectKey: StorageError]

    init(_ inner: MemoryBackend, refuse: @escaping @Sendable ([ObjectKey]) -> [ObjectKey: StorageError]) {
        self.inner = inner
        self.refuse = refuse
    }

    var displayName: String { inner.displayName }
    var capabilities: Capabilities { inner.capabilities }

    func delete(_ keys: [ObjectKey]) async throws(StorageError) -> [ObjectKey: StorageError] {
        let refused = refuse(keys)
        _ = try await inner.delete(keys.filter { refused[$0] == nil })
        return refused
    }

    func stat(_ key: ObjectKey) async throws(StorageError) -> ObjectInfo { try await inner.stat(key) }
    func openRead(_ key: ObjectKey, range: ByteRange?) async throws(StorageError) -> any ObjectReader {
        try await inner.openRead(key, range: range)
    }
    func beginWrite(_ key: ObjectKey, options: WriteOptions) async throws(StorageError) -> any UploadDriver {
        try await inner.beginWrite(key, options: options)
    }
    func list(_ request: ListRequest) async throws(StorageError) -> ListPage { try await inner.list(request) }
    func sweepUnfinished(prefix: String) async throws(StorageError) -> Int { 0 }
    func freeByteCount() async throws(StorageError) -> Int? { nil }
    func close() async {}
}
