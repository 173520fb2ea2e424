import BackupAPI
import BackupConformance
import BackupEngine
import Testing

/// What bandwidth, concurrency and observation do beside keeping the laws.
@Suite struct FlowTests {
    @Test func `bytes of all transfers that share a meter pass at its rate`() async throws {
        let clock = SteppingClock()
        let meter = BandwidthMeter(bytesPerSecond: 1000, clock: clock.layerClock)
        let from = BandwidthLayer(MemoryBackend(), meter: meter)
        let to = BandwidthLayer(MemoryBackend(), meter: meter)
        let key = try ObjectKey("object")

        try await from.put(key) { (upload: inout Upload) in
            for _ in 0..<10 { try await upload.write([UInt8](repeating: 1, count: 500)) }
        }
        let bytes = try await from.read(key, limit: 10_000)
        try await to.put(key, bytes: bytes)
        try await to.put(key, bytes: [1])

        // 15 000 bytes are paid for before the last one passes; a quarter of a second may be made up for.
        #expect((Duration.milliseconds(14_750)...(.seconds(15))).contains(clock.now), "\(clock.now)")
    }

    @Test func `calls without bytes do not wait for bandwidth`() async throws {
        let clock = SteppingClock()
        let place = BandwidthLayer(MemoryBackend(), meter: BandwidthMeter(bytesPerSecond: 1, clock: clock.layerClock))

        _ = try await place.list(ListRequest(prefix: ""))
        _ = try await place.delete([try ObjectKey("object")])

        #expect(clock.waits.isEmpty)
    }

    @Test func `no more calls are under way at once than are useful`() async throws {
        let gate = Gate()
        let (entered, hasEntered) = AsyncStream<Void>.makeStream()
        let driver = HookBackend(usefulConcurrency: 3) {
            hasEntered.yield()
            await gate.wait()
        }
        let key = try ObjectKey("object")
        driver.memory.plant([1], at: key)
        let place = ConcurrencyLayer(driver)

        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<20 { group.addTask { _ = try await place.stat(key) } }
            var count = 0
            for await _ in entered {
                count += 1
                if count == 3 { break }
            }
            gate.open()
            try await group.waitForAll()
        }

        #expect(driver.mostCallsAtOnce == 3)
        #expect(driver.callCount == 20)
    }

    @Test func `a task may hold more open uploads than there are slots`() async throws {
        let place = ConcurrencyLayer(HookBackend(usefulConcurrency: 1) {})
        var uploads: [any UploadDriver] = []
        for number in 0..<5 {
            uploads.append(try await place.beginWrite(try ObjectKey("\(number)"), options: WriteOptions()))
        }

        for upload in uploads {
            try await upload.write(unsafe [1].span.bytes)
            try await upload.commit()
        }

        #expect(try await place.list(ListRequest(prefix: "")).entries.count == 5)
    }

    @Test func `a call that is cancelled while it waits for a slot ends at once, and the slot is not lost`()
        async throws
    {
        let gate = Gate()
        let (entered, hasEntered) = AsyncStream<Void>.makeStream()
        let driver = HookBackend(usefulConcurrency: 1) {
            hasEntered.finish()
            await gate.wait()
        }
        let key = try ObjectKey("object")
        driver.memory.plant([1], at: key)
        let place = ConcurrencyLayer(driver)

        let holder = Task { try await place.stat(key) }
        for await _ in entered {}
        let waiter = Task { await storageReason { _ = try await place.stat(key) } }
        waiter.cancel()
        #expect(await waiter.value == .cancelled)

        gate.open()
        _ = try await holder.value
        _ = try await place.stat(key)
        #expect(driver.callCount == 2)
    }

    @Test func `calls and bytes are counted as their callers see them`() async throws {
        let counters = StorageCounters()
        var settings = LayerChoice.settings
        settings.counters = counters
        let faulty = FaultyBackend(MemoryBackend()) { call in
            if call.number == 1 { return .failBefore(.test(.unavailable)) }
            return call.kind == .list ? .failBefore(.test(.permissionDenied)) : nil
        }
        let place = LayerStack.wrap(faulty, settings)
        let key = try ObjectKey("object")

        try await place.put(key, bytes: [UInt8](repeating: 1, count: 1000))
        _ = try await place.read(key, range: ByteRange(offset: 0, count: 10), limit: 10)
        _ = try? await place.stat(try ObjectKey("missing"))
        _ = try? await place.list(ListRequest(prefix: ""))

        let reading = counters.reading
        #expect(reading.writtenByteCount == 1000)
        #expect(reading.readByteCount == 10)
        #expect(
            reading.calls == [
                "begin-write": 1, "write": 1, "commit": 1, "open-read": 1, "read": 2, "stat": 1, "list": 1,
            ])
        #expect(reading.failedCallCount == 1)
        #expect(reading.retryCount == 1)
    }
}
