import BackupAPI
import BackupConformance
import Synchronization
import Testing

@testable import BackupEngine

extension FormatTests {
    @Suite struct Leases {
        /// A clock that a test sets.
        final class Clock: Sendable {
            let seconds = Atomic<Int>(1_735_689_600)
            var read: @Sendable () -> Int { { self.seconds.load(ordering: .relaxed) } }
            func advance(_ count: Int) { seconds.add(count, ordering: .relaxed) }
        }

        let place = MemoryBackend()
        let clock = Clock()

        func take(_ host: String, server: String = "primary", operation: String = "backup") async throws -> Lease {
            let holder = Lease.Holder(host: host, process: 4711, operation: operation, expiresAt: 0)
            return try await Lease.take(
                backend: place, server: server, operation: operation, holder: holder, mayBeAlive: { _ in true },
                clock: clock.read)
        }

        /// How many of many runs get the lease at once, and that all others are told that it is taken.
        func race(_ count: Int) async throws -> Int {
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<count {
                    group.addTask {
                        do {
                            _ = try await take("host\(number)")
                            return true
                        } catch let error as EngineError where error.reason == .busy {
                            return false
                        }
                    }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
        }

        @Test func `a lease that is held names its holder and its end`() async throws {
            _ = try await take("alpha")

            let error = await #expect(throws: EngineError.self) { try await take("beta") }

            #expect(error?.reason == .busy)
            #expect(error?.retry == .later)
            for word in ["backup", "primary", "4711", "alpha", "20250101000200"] {
                #expect(error?.detail.contains(word) == true, "\(word)")
            }
        }

        @Test func `a free lease is taken by exactly one of many`() async throws {
            #expect(try await race(32) == 1)
            #expect(place.keys.map(\.string) == ["primary/lease/backup/000000001.json"])
        }

        @Test func `an expired lease is taken over by exactly one of many`() async throws {
            _ = try await take("alpha")
            clock.advance(Lease.lifetimeInSeconds - 1)
            #expect(try await race(4) == 0)
            clock.advance(1)

            #expect(try await race(32) == 1)
            #expect(place.keys.last?.string == "primary/lease/backup/000000002.json")
        }

        @Test func `a lease that was given back is free`() async throws {
            try await take("alpha").release()
            #expect(place.keys.isEmpty)

            try await take("beta").release()
        }

        @Test func `leases of other servers and operations do not disturb`() async throws {
            _ = try await take("alpha")
            _ = try await take("beta", server: "secondary")
            _ = try await take("gamma", operation: "retention")
        }

        @Test func `a lease is given back when the work ends, well or not`() async throws {
            let answer = try await take("alpha").hold { 42 }
            #expect(answer == 42)
            #expect(place.keys.isEmpty)

            let lease = try await take("alpha")
            await #expect(throws: CancellationError.self) { try await lease.hold { throw CancellationError() } }
            #expect(place.keys.isEmpty)
        }
    }
}
