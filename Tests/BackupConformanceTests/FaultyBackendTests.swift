import BackupAPI
import BackupConformance
import Synchronization
import Testing

struct FaultyBackendTests {
    private let place = MemoryBackend()
    private let fault = StorageError(.unavailable, operation: .write, target: "fault")

    @Test func `without faults it keeps every law`() async {
        let place = place

        let report = await BackendConformance(
            makeBackend: { FaultyBackend(place) { _ in nil } }, prefix: ""
        ).run()

        #expect(report.isConforming, "\(report)")
    }

    @Test func `each call of an operation fails in turn and nothing half-done is visible`() async throws {
        let key = try ObjectKey("object")
        var number = 0
        while true {
            number += 1
            let faulty = FaultyBackend(place, failing: number, with: fault)
            do {
                try await faulty.put(key) { upload in
                    try await upload.write([1, 2, 3])
                    try await upload.write([4, 5])
                }
                break
            } catch let error as StorageError {
                #expect(error == fault)
                #expect(faulty.callCount == number)
                #expect(place.keys.isEmpty)
                #expect(place.unfinishedCount == 0)
            }
        }

        #expect(number == 5)
        #expect(place.contents[key] == [1, 2, 3, 4, 5])
    }

    @Test func `calls are counted with their kinds and keys`() async throws {
        let key = try ObjectKey("object")
        let faulty = FaultyBackend(place) { _ in nil }

        try await faulty.put(key, bytes: [1])
        _ = try await faulty.stat(key)
        _ = try await faulty.read(key, limit: 10)
        _ = try await faulty.list(ListRequest(prefix: ""))
        _ = try await faulty.delete([key])
        _ = try await faulty.sweepUnfinished(prefix: "")
        _ = try await faulty.freeByteCount()
        _ = try await faulty.unixSeconds()

        let kinds: [FaultyCall.Kind] = [
            .beginWrite, .write, .commit, .stat, .openRead, .read, .read, .list, .delete, .sweep, .free,
            .clock,
        ]
        #expect(faulty.calls.map(\.kind) == kinds)
        #expect(faulty.calls.map(\.number) == Array(1...kinds.count))
        #expect(faulty.calls.filter { $0.key == key }.count == 8)
    }

    @Test func `a call that fails after its effect has had it`() async throws {
        let key = try ObjectKey("object")
        let fault = fault
        let faulty = FaultyBackend(place) { $0.kind == .commit ? .failAfter(fault) : nil }

        await #expect(throws: fault) { try await faulty.put(key, bytes: [1, 2]) }

        #expect(place.contents[key] == [1, 2])
    }

    @Test func `an upload is cut after the bytes that may pass`() async throws {
        let key = try ObjectKey("object")
        let fault = fault
        let seen = Mutex(0)
        let faulty = FaultyBackend(place) { $0.kind == .beginWrite ? .cut(afterByteCount: 4, fault) : nil }

        await #expect(throws: fault) {
            try await faulty.put(key) { upload in
                for byte in 0..<9 as Range<UInt8> {
                    try await upload.write([byte])
                    seen.withLock { $0 += 1 }
                }
            }
        }

        #expect(seen.withLock { $0 } == 4)
        #expect(place.keys.isEmpty)
    }

    @Test func `a read is cut with an error or with an early end`() async throws {
        let key = try ObjectKey("object")
        let bytes = (0..<100).map { UInt8($0) }
        let fault = fault
        try await place.put(key, bytes: bytes)
        let cut = FaultyBackend(place) { $0.kind == .openRead ? .cut(afterByteCount: 40, fault) : nil }
        let short = FaultyBackend(place) { $0.kind == .openRead ? .truncate(afterByteCount: 40) : nil }

        await #expect(throws: fault) { try await cut.read(key, limit: 1000) }
        let found = try await short.read(key, limit: 1000)

        #expect(found == Array(bytes[..<40]))
    }

    @Test func `a hanging call ends when its task is cancelled`() async throws {
        let key = try ObjectKey("object")
        let faulty = FaultyBackend(place) { _ in .hang }

        let task = Task { try await faulty.stat(key) }
        while faulty.callCount == 0 { await Task.yield() }
        task.cancel()

        let result = await task.result
        #expect(throws: StorageError.self) { try result.get() }
        #expect((result.failure as? StorageError)?.reason == .cancelled)
    }

    @Test func `a delayed call goes on afterwards`() async throws {
        let key = try ObjectKey("object")
        try await place.put(key, bytes: [1])
        let faulty = FaultyBackend(place) { _ in .delay(.milliseconds(1)) }

        let info = try await faulty.stat(key)

        #expect(info.byteCount == 1)
    }
}

extension Result {
    /// The error, if there is one.
    fileprivate var failure: Failure? { if case .failure(let error) = self { error } else { nil } }
}
