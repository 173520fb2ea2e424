import BackupAPI
import BackupConformance
import BackupEngine
import Synchronization
import Testing

/// Readers and uploads that meet errors on their way.
@Suite struct RetryStreamTests {
    private let memory = MemoryBackend()
    private let key: ObjectKey
    private let bytes = (0..<700_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 9) }

    init() throws { key = try ObjectKey("object") }

    private func layer(_ place: any StorageBackend) -> RetryLayer {
        RetryLayer(place, policy: RetryPolicy { 0 }, clock: SteppingClock().layerClock)
    }

    @Test(arguments: [nil, ByteRange(offset: 1000, count: 600_000), ByteRange(offset: 0, count: .max)])
    func `a reader goes on where it was, however often the connection breaks`(range: ByteRange?) async throws {
        memory.plant(bytes, at: key)
        let faulty = FaultyBackend(memory) {
            $0.kind == .openRead ? .cut(afterByteCount: 100_000, .test(.unavailable)) : nil
        }

        let read = try await layer(faulty).read(key, range: range, limit: 1 << 20)

        #expect(read == Array(bytes[(range?.offset ?? 0)..<min(bytes.count, range?.end ?? .max)]))
        #expect(faulty.calls.count { $0.kind == .openRead } > 6)
    }

    @Test func `a reader whose object was replaced meanwhile ends with an error, not with a mixture`() async throws {
        memory.plant(bytes, at: key)
        let other = bytes.map { $0 ^ 1 }
        let faulty = FaultyBackend(memory) { [memory, key] call in
            guard call.kind == .openRead else { return nil }
            if call.number > 1 { memory.plant(other, at: key) }
            return .cut(afterByteCount: 100_000, .test(.unavailable))
        }

        let error = await #expect(throws: StorageError.self) { try await layer(faulty).read(key, limit: 1 << 20) }

        #expect(error?.reason == .failed)
        #expect(error?.detail == "the object was replaced while it was read")
    }

    @Test func `a small upload is written again from its beginning`() async throws {
        let faulty = FaultyBackend(memory) { call in
            // The third chunk of the first upload, and the commit of the second.
            [4, 8].contains(call.number) ? .failBefore(.test(.timedOut)) : nil
        }

        try await layer(faulty).put(key) { [bytes] (upload: inout Upload) in
            for start in stride(from: 0, to: bytes.count, by: 175_000) {
                try await upload.write(Array(bytes[start..<start + 175_000]))
            }
        }

        #expect(memory.contents[key] == bytes)
        #expect(memory.unfinishedCount == 0)
        #expect(faulty.calls.count { $0.kind == .beginWrite } == 3, "\(faulty.calls.map(\.kind))")
    }

    @Test func `an upload that is too large to keep ends with the error and leaves nothing`() async throws {
        let faulty = FaultyBackend(memory) { $0.number == 4 ? .failBefore(.test(.unavailable)) : nil }

        let error = await #expect(throws: StorageError.self) {
            try await layer(faulty).put(key) { [bytes] (upload: inout Upload) in
                for _ in 0..<5 { try await upload.write(bytes) }
            }
        }

        #expect(error == .test(.unavailable))
        #expect(faulty.callCount == 4)
        #expect(memory.keys.isEmpty)
        #expect(memory.unfinishedCount == 0)
    }

    @Test func `a creation whose answer was lost is not taken for somebody else's`() async throws {
        let faulty = FaultyBackend(memory) { call in
            call.number == 3 ? .failAfter(.test(.unavailable)) : nil
        }

        #expect(try await layer(faulty).create(key, bytes: [1, 2, 3]))
        #expect(memory.contents[key] == [1, 2, 3])
    }

    @Test(arguments: [[1, 2], [1, 2, 4], [1, 2, 3, 4]] as [[UInt8]])
    func `a creation that failed while somebody else's succeeded tells so`(others: [UInt8]) async throws {
        let faulty = FaultyBackend(memory) { [memory, key] call in
            guard call.number == 3 else { return nil }
            memory.plant(others, at: key)
            return .failBefore(.test(.unavailable))
        }

        #expect(try await layer(faulty).create(key, bytes: [1, 2, 3]) == false)
        #expect(memory.contents[key] == others)
    }

    @Test func `an object with the same bytes that was there before is somebody else's`() async throws {
        memory.plant([1, 2, 3], at: key)
        let faulty = FaultyBackend(memory, failing: 1, with: .test(.unavailable))

        #expect(try await layer(faulty).create(key, bytes: [1, 2, 3]) == false)
    }
}
