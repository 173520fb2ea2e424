import BackupAPI
import Codecs
import Testing

struct StandardCodecsTests {
    @Test func `names, numbers and suffixes are those that are recorded`() {
        let shown = StandardCodecs.registry.factories.map { "\($0.kind) \($0.number) \($0.name) \($0.suffix)" }

        #expect(
            shown == [
                "compression 1 gzip .gz", "compression 2 zstd .zstd", "compression 3 lz4 .lz4",
                "compression 4 bzip2 .bz2", "encryption 1 aes-256-gcm .aes", "encryption 2 aes-192-gcm .aes",
                "encryption 3 aes-128-gcm .aes", "encryption 4 aes-256-cbc .aes", "encryption 5 aes-192-cbc .aes",
                "encryption 6 aes-128-cbc .aes", "encryption 7 aes-256-ctr .aes", "encryption 8 aes-192-ctr .aes",
                "encryption 9 aes-128-ctr .aes",
            ])
    }

    @Test(arguments: [
        ("gz", "gzip"), ("zst", "zstd"), ("bz2", "bzip2"), ("aes", "aes-256-gcm"), ("aes-256", "aes-256-gcm"),
        ("aes-192", "aes-192-gcm"), ("aes-128", "aes-128-gcm"),
    ])
    func `short names find codecs`(alias: String, name: String) {
        #expect(StandardCodecs.registry.factory(named: alias)?.name == name)
    }

    @Test func `unknown names find nothing`() {
        for name in ["none", "", "aes-512", "ZSTD", "xz"] {
            #expect(StandardCodecs.registry.factory(named: name) == nil)
        }
    }

    @Test func `codecs say what their factories say`() throws {
        for factory in StandardCodecs.registry.factories {
            let codec = try factory.make(nil, CodecTestKit.keys)

            #expect(codec.name == factory.name)
            #expect(codec.suffix == factory.suffix)
            #expect(codec.parameters == factory.levels.map { ["level": String($0.standard)] } ?? ["key": "test"])
        }
    }

    @Test(arguments: [("gzip", 0), ("gzip", 10), ("zstd", 23), ("zstd", -1), ("lz4", 13), ("bzip2", 0), ("aes", 1)])
    func `a level out of range is refused`(name: String, level: Int) throws {
        let error = #expect(throws: CodecError.self) { try CodecTestKit.codec(name, level: level) }

        #expect(error?.reason == .misconfigured)
    }

    @Test func `a compression refuses a header`() throws {
        let codec = try CodecTestKit.codec("zstd")

        let error = #expect(throws: CodecError.self) { try codec.openObject(CodecTestKit.identity(), header: [1]) }

        #expect(error?.reason == .damaged)
    }
}
