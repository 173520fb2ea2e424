import BackupAPI
import BackupConformance
import Testing

/// The calls that the contract adds to every backend, on the reference backend.
struct UploadTests {
    private let place = MemoryBackend()
    private let key: ObjectKey

    init() throws { key = try ObjectKey("object") }

    @Test func `put gives back what its body returns and the object is there`() async throws {
        let result = try await place.put(key) { upload in
            try await upload.write([1, 2])
            #expect(place.keys.isEmpty)
            return "done"
        }

        #expect(result == "done")
        #expect(place.contents[key] == [1, 2])
    }

    @Test func `put throws what its body throws and the old object stays`() async throws {
        struct Fault: Error {}
        try await place.put(key, bytes: [1])

        await #expect(throws: Fault.self) {
            try await place.put(key) { upload in
                try await upload.write([2])
                throw Fault()
            }
        }

        #expect(place.contents[key] == [1])
        #expect(place.unfinishedCount == 0)
    }

    @Test func `a small object is read up to its limit and not beyond`() async throws {
        let bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: $0) }
        try await place.put(key, bytes: bytes)

        #expect(try await place.read(key, limit: 200_000) == bytes)
        #expect(try await place.read(key, range: ByteRange(offset: 10, count: 3), limit: 3) == [10, 11, 12])
        let error = await #expect(throws: StorageError.self) { try await place.read(key, limit: 199_999) }

        #expect(error?.reason == .corrupt)
    }

    @Test func `a listing is walked over all its pages`() async throws {
        let keys = try (0..<25).map { try ObjectKey("key-\($0)") }.sorted()
        for key in keys { try await place.put(key, bytes: []) }
        var found: [String] = []

        try await place.forEachEntry(ListRequest(prefix: "key-", limit: 4)) { found.append($0.position) }

        #expect(found == keys.map(\.string))
    }
}
