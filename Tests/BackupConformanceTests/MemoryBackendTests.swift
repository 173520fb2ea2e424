import BackupAPI
import BackupConformance
import Testing

struct MemoryBackendTests {
    private let place = MemoryBackend(name: "memory:test")

    @Test func `contents show committed objects in byte order`() async throws {
        for name in ["b", "a/b", "a.b"] { try await place.put(try ObjectKey(name), bytes: Array(name.utf8)) }

        #expect(place.keys.map(\.string) == ["a.b", "a/b", "b"])
        #expect(place.contents[try ObjectKey("a/b")] == Array("a/b".utf8))
    }

    @Test func `damage changes an object in place and says whether there is one`() async throws {
        let key = try ObjectKey("object")
        try await place.put(key, bytes: [1, 2, 3])

        let isThere = place.damage(key) { $0[1] ^= 0x10 }
        let isMissing = !place.damage(try ObjectKey("other")) { $0.removeAll() }

        #expect(isThere && isMissing)
        #expect(try await place.read(key, limit: 10) == [1, 0x12, 3])
    }

    @Test func `uploads under way are counted`() async throws {
        let driver = try await place.beginWrite(try ObjectKey("object"), options: WriteOptions())
        #expect(place.unfinishedCount == 1)

        await driver.abort()

        #expect(place.unfinishedCount == 0)
        #expect(place.keys.isEmpty)
    }

    @Test func `errors name the place and the key`() async throws {
        let error = await #expect(throws: StorageError.self) { try await place.stat(try ObjectKey("gone")) }

        #expect(error?.summary == "cannot look at 'gone' at memory:test: there is no such object")
    }
}
