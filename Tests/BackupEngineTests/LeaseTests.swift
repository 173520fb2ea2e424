import BackupAPI
import BackupConformance
import BackupEngine
import Synchronization
import Testing

@Suite struct LeaseTests {
    private let place = MemoryBackend(name: "memory:test")
    private let holder = Lease.Holder(host: "here", process: 7, operation: "backup")

    private func take(at now: Int, mayBeAlive: Bool = true) async throws -> Lease {
        try await Lease.take(
            backend: place, server: "primary", operation: "backup", holder: holder, mayBeAlive: { _ in mayBeAlive },
            clock: { now })
    }

    private var generations: [String] { place.keys.map(\.name) }

    @Test func `a lease that is held refuses a second run and names the first`() async throws {
        _ = try await take(at: 0)

        let error = await #expect(throws: EngineError.self) { try await take(at: Lease.lifetimeInSeconds - 1) }

        #expect(error?.reason == .busy)
        #expect(error?.detail.contains("process 7 on here") == true)
        #expect(generations == ["000000001.json"])
    }

    @Test func `a lease that a wrong clock made says what to delete when its process is gone`() async throws {
        let lease = try await take(at: 1_000_000)

        let error = await #expect(throws: EngineError.self) { try await take(at: 0) }
        let usual = await #expect(throws: EngineError.self) { try await take(at: 999_900) }

        #expect(error?.reason == .busy)
        #expect(error?.detail.contains("delete the objects 'primary/lease/backup/…' on memory:test") == true)
        #expect(usual?.detail.contains("delete") == false)
        try await lease.requireHeld()
    }

    @Test(arguments: [(now: Lease.lifetimeInSeconds, mayBeAlive: true), (now: 1, mayBeAlive: false)])
    func `a lease that expired or whose process is gone is taken over and leaves nothing`(
        now: Int, mayBeAlive: Bool
    ) async throws {
        let lost = try await take(at: 0)

        let lease = try await take(at: now, mayBeAlive: mayBeAlive)

        #expect(generations == ["000000002.json"])
        try await lease.requireHeld()
        let error = await #expect(throws: EngineError.self) { try await lost.requireHeld() }
        #expect(error?.reason == .busy)
        await lease.release()
        #expect(generations.isEmpty)
    }

    @Test func `a lease for which other runs were faster, and have ended, is taken`() async throws {
        let writeCount = Atomic(0)
        let ended = try CanonicalJSON.encode(holder)
        let hooked = HookBackend(place) { [place] in
            let number = writeCount.add(1, ordering: .relaxed).newValue
            guard number <= 5, let key = try? ObjectKey("primary/lease/backup/00000000\(number).json") else { return }
            place.plant(ended, at: key)
        }

        let lease = try await Lease.take(
            backend: hooked, server: "primary", operation: "backup", holder: holder, mayBeAlive: { _ in true },
            clock: { 1 })

        #expect(generations == ["000000006.json"])
        try await lease.requireHeld()
    }

    @Test func `a cancelled run gives its lease back`() async throws {
        let lease = try await take(at: 0)

        let run = Task { try await lease.hold { try await Task.sleep(for: .seconds(3600)) } }
        run.cancel()

        await #expect(throws: CancellationError.self) { try await run.value }
        #expect(generations.isEmpty)
    }
}
