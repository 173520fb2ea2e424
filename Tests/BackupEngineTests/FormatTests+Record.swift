import BackupAPI
import Testing

@testable import BackupEngine

extension FormatTests {
    @Suite struct Record {
        static let keys: KeyRing = {
            var keys = KeyRing()
            keys.add(id: "00112233aabbccdd", key: Secret([UInt8](repeating: 9, count: 32)), isCurrent: true)
            return keys
        }()
        static let file = RecordFile(keys: keys, cryptography: FormatTests.cryptography)

        static func encrypted() throws -> BackupRecord {
            try FormatTests.record(codecs: [
                .init(name: "zstd", parameters: ["level": "3"]),
                .init(name: "aes-256-gcm", parameters: ["key": "00112233aabbccdd"]),
            ])
        }

        @Test func `what is encoded is decoded`() throws {
            let plain = try FormatTests.record(codecs: [])
            #expect(try Record.file.decode(Record.file.encode(plain), name: "x", requiresKey: true) == plain)

            var read = try Record.file.decode(Record.file.encode(Record.encrypted()), name: "x", requiresKey: true)
            #expect(read.authentication.utf8.count == 64)
            read.authentication = ""
            let written = try Record.encrypted()
            #expect(read == written)
        }

        @Test func `equal records are equal bytes, with sorted keys and a line feed at the end`() throws {
            let text = String(decoding: try Record.file.encode(Record.encrypted()), as: UTF8.self)

            #expect(try Record.file.encode(Record.encrypted()) == Array(text.utf8))
            let names = text.split(separator: "\n").filter { $0.hasPrefix("  \"") }.map { $0.prefix { $0 != ":" } }
            #expect(names == names.sorted())
            #expect(text.hasSuffix("}\n"))
        }

        @Test func `the code is that of openssl for the documented bytes`() throws {
            let record = try Record.encrypted()
            let bytes = try Record.file.encode(record)
            let read = try Record.file.decode(bytes, name: "x", requiresKey: true)
            let zeros = String(repeating: "0", count: 64)
            let message = String(decoding: bytes, as: UTF8.self).replacing(read.authentication, with: zeros)

            let key = try FormatTests.openssl(
                ["kdf", "-binary", "-keylen", "32", "-kdfopt", "digest:SHA256"]
                    + ["-kdfopt", "hexkey:" + String(repeating: "09", count: 32), "-kdfopt", "salt:\(record.id)"]
                    + ["-kdfopt", "info:pgmoneta-record-1", "HKDF"])
            let code = try FormatTests.openssl(
                ["mac", "-binary", "-digest", "SHA256", "-macopt", "hexkey:\(hexadecimal(key))", "HMAC"],
                input: Array(message.utf8))

            #expect(hexadecimal(code) == read.authentication)
        }

        @Test func `any changed byte of an encrypted backup's record is refused`() throws {
            let bytes = try Record.file.encode(Record.encrypted())
            for position in bytes.indices {
                var changed = bytes
                changed[position] ^= 0x01
                #expect(throws: EngineError.self, "byte \(position)") {
                    try Record.file.decode(changed, name: "x", requiresKey: true)
                }
            }
        }

        @Test func `without the key a record can be listed but not used`() throws {
            let bytes = try Record.file.encode(Record.encrypted())
            let stranger = RecordFile(keys: KeyRing(), cryptography: FormatTests.cryptography)

            #expect(try stranger.decode(bytes, name: "x", requiresKey: false).fileCount == 2)
            let error = FormatTests.error { _ = try stranger.decode(bytes, name: "x", requiresKey: true) }
            #expect((error as? EngineError)?.reason == .masterKeyMissing)
        }

        @Test(arguments: ["", "{}", "null", "{\"format\":1}", "\u{0}"])
        func `what is no record is refused`(text: String) {
            let error = FormatTests.error { _ = try Record.file.decode(Array(text.utf8), name: "x", requiresKey: true) }
            #expect((error as? EngineError)?.reason == .recordDamaged)
        }

        @Test func `a record of a later format is told from a damaged one`() {
            let error = FormatTests.error {
                _ = try Record.file.decode(Array("{\"format\":2}".utf8), name: "x", requiresKey: true)
            }
            #expect((error as? EngineError)?.reason == .unsupportedFormat)
        }
    }
}
