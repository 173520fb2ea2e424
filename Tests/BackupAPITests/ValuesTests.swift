import BackupAPI
import Testing

struct ValuesTests {
    @Test func `a secret is not shown by anything that describes it`() {
        let secret = Secret("hunter2")
        var dumped = ""
        dump(["x": secret], to: &dumped)

        for text in ["\(secret)", String(reflecting: secret), String(describing: [secret]), dumped] {
            #expect(!text.contains("hunter2") && !text.contains("104"), "\(text)")
            #expect(text.contains("***"))
        }
        #expect(secret.revealText() == "hunter2")
        #expect(secret.reveal() == Array("hunter2".utf8))
        #expect(Secret("").isEmpty && !secret.isEmpty)
    }

    @Test func `the end of a run does not overflow`() {
        #expect(ByteRange(offset: 5, count: 10).end == 15)
        #expect(ByteRange(offset: 5, count: .max).end == .max)
        #expect(ByteRange(offset: -5, count: -1) == ByteRange(offset: 0, count: 0))
    }

    @Test func `a page has room for 1 to 1000 entries`() {
        #expect(
            [-1, 0, 1, 7, 1000, 1001].map { ListRequest(prefix: "", limit: $0).limit } == [1, 1, 1, 7, 1000, 1000])
    }

    @Test func `an entry's position is its key or its folder`() throws {
        let info = ObjectInfo(key: try ObjectKey("a/b"), byteCount: 1)

        #expect(ListEntry.object(info).position == "a/b")
        #expect(ListEntry.folder("a/").position == "a/")
    }

    @Test func `a ring gives the current key and those of old headers`() {
        var ring = KeyRing()
        #expect(ring.currentID == nil)

        ring.add(id: "old", key: Secret("1"), isCurrent: true)
        ring.add(id: "new", key: Secret("2"), isCurrent: true)

        #expect(ring.currentID == "new")
        #expect(ring.key("old") == Secret("1"))
        #expect(ring.key("other") == nil)
    }

    @Test func `backends and codecs are found by their names`() {
        var backends = BackendRegistry()
        backends.add(
            BackendFactory(scheme: "x") { (settings) throws(StorageError) in
                throw StorageError(.unavailable, operation: .open, target: settings.location.description)
            })
        let codecs = CodecRegistry([
            CodecFactory(name: "zstd", aliases: ["client-zstd"], kind: .compression, number: 2, suffix: ".zstd") {
                (_, _) throws(CodecError) in throw CodecError(.failed, codec: "zstd")
            }
        ])

        #expect(backends.factory(scheme: "x") != nil && backends.factory(scheme: "y") == nil)
        #expect(codecs.factory(named: "client-zstd")?.name == "zstd" && codecs.factory(named: "zs") == nil)
    }
}
