import BackupAPI
import BackupConformance
import BackupEngine
import Testing

@Suite struct TimeoutTests {
    private static let limits = TimeLimits(lookup: .seconds(10), chunk: .seconds(20), completion: .seconds(30))

    /// Does one call of each kind; `sweep`, `free` and `clock` at the end.
    private static func callAll(_ place: any StorageBackend) async throws {
        let key = try ObjectKey("object")
        try await place.put(key, bytes: [1, 2, 3])
        _ = try await place.stat(key)
        _ = try await place.read(key, limit: 10)
        _ = try await place.list(ListRequest(prefix: ""))
        _ = try await place.delete([key])
        _ = try await place.sweepUnfinished(prefix: "")
        _ = try await place.freeByteCount()
        _ = try await place.unixSeconds()
    }

    @Test(arguments: FaultyCall.Kind.allCases)
    func `a call that hangs is timed out after its limit`(kind: FaultyCall.Kind) async throws {
        let gate = Gate()
        let clock = SteppingClock(gate: gate)
        let memory = MemoryBackend()
        let faulty = FaultyBackend(memory) { call in
            guard call.kind == kind else { return nil }
            gate.open()
            return .hang
        }

        let error = await #expect(throws: StorageError.self) {
            try await Self.callAll(TimeoutLayer(faulty, limits: Self.limits, clock: clock.layerClock))
        }

        #expect(error?.reason == .timedOut)
        #expect(error?.target == memory.displayName)
        let limit: Duration =
            switch kind {
            case .stat, .openRead, .beginWrite, .free, .clock: .seconds(10)
            case .read, .write, .list: .seconds(20)
            case .commit, .delete, .sweep: .seconds(30)
            }
        #expect(clock.now >= limit)
    }

    @Test func `a driver that does not even notice cancellation is left to itself and cleaned up behind`() async throws
    {
        let (clockGate, driverGate) = (Gate(), Gate())
        let (ended, hasEnded) = AsyncStream<Void>.makeStream()
        let driver = HookBackend {
            clockGate.open()
            await driverGate.wait()
            hasEnded.finish()
        }
        let place = TimeoutLayer(driver, limits: Self.limits, clock: SteppingClock(gate: clockGate).layerClock)
        let key = try ObjectKey("object")

        let upload = try await place.beginWrite(key, options: WriteOptions())
        let error = await #expect(throws: StorageError.self) { try await upload.write(unsafe [1, 2, 3].span.bytes) }
        let again = await #expect(throws: StorageError.self) { try await upload.commit() }
        await upload.abort()

        #expect(error?.reason == .timedOut)
        #expect(again?.reason == .timedOut)
        #expect(driver.abortCount == 0, "nothing else is called while the call is under way")
        #expect(driver.memory.unfinishedCount == 1)

        driverGate.open()
        for await _ in ended {}
        while driver.memory.unfinishedCount > 0 { await Task.yield() }
        #expect(driver.abortCount == 1)
        #expect(driver.memory.keys.isEmpty)
    }

    @Test func `cancelling the caller cancels the call`() async throws {
        let (called, isCalled) = AsyncStream<Void>.makeStream()
        let faulty = FaultyBackend(MemoryBackend()) { _ in
            isCalled.finish()
            return .hang
        }
        let place = LayerChoice.timeout.wrap(faulty)
        let task = Task { await storageReason { _ = try await place.freeByteCount() } }

        for await _ in called {}
        task.cancel()

        #expect(await task.value == .cancelled)
    }

    @Test func `the stack heals a call that hangs once`() async throws {
        let gate = Gate()
        let clock = SteppingClock(gate: gate)
        let memory = MemoryBackend()
        let key = try ObjectKey("object")
        let faulty = FaultyBackend(memory) { call in
            guard call.number == 3 else { return nil }
            gate.open()
            return .hang
        }
        var settings = LayerChoice.settings
        settings.clock = clock.layerClock
        settings.limits = Self.limits
        settings.bandwidth = nil

        #expect(try await LayerStack.wrap(faulty, settings).create(key, bytes: [1, 2, 3]))
        #expect(memory.contents[key] == [1, 2, 3])
    }
}
