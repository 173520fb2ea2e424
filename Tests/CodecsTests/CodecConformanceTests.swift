import BackupAPI
import BackupConformance
import Codecs
import Testing

struct CodecConformanceTests {
    static let names = StandardCodecs.registry.factories.map(\.name)

    @Test(arguments: names) func `every codec keeps every law`(name: String) throws {
        let factory = try #require(StandardCodecs.registry.factory(named: name))

        // Ciphers with shorter keys differ in nothing that large frames would show.
        let frameByteCount = name.hasPrefix("aes-192") || name.hasPrefix("aes-128") ? 1 << 17 : 1 << 20

        let violations = CodecConformance(kind: factory.kind, frameByteCount: frameByteCount) {
            () throws(CodecError) in
            try factory.make(nil, CodecTestKit.keys)
        }.violations()

        #expect(violations == [])
    }

    @Test(arguments: names.prefix(4)) func `the lowest and the highest level keep every law`(name: String) throws {
        let factory = try #require(StandardCodecs.registry.factory(named: name))
        let allowed = try #require(factory.levels).allowed

        for level in [allowed.lowerBound, allowed.upperBound] {
            let violations = CodecConformance(kind: factory.kind, frameByteCount: 70_000) { () throws(CodecError) in
                try factory.make(level, CodecTestKit.keys)
            }.violations()

            #expect(violations == [], "level \(level)")
        }
    }

    @Test(arguments: names.prefix(4)) func `every level makes frames that come back`(name: String) throws {
        let factory = try #require(StandardCodecs.registry.factory(named: name))
        let plain = CodecTestKit.text(200_000)

        for level in try #require(factory.levels).allowed {
            let codec = try factory.make(level, CodecTestKit.keys)
            let stored = try CodecTestKit.encode([plain, plain], with: codec)

            #expect(try CodecTestKit.decode(stored, with: codec) == plain + plain, "level \(level)")
            #expect(stored.count < plain.count)
        }
    }
}
