import Testing

@testable import BackupEngine

extension FormatTests {
    /// What somebody who may change stored objects could try.
    @Suite struct Hostile {
        @Test func `an encrypted record whose key's name was altered is refused`() throws {
            var bytes = try Record.file.encode(Record.encrypted())
            let name = try #require(bytes.firstRange(of: Array("\"key\"".utf8)))
            bytes.replaceSubrange(name, with: Array("\"kez\"".utf8))

            #expect(throws: EngineError.self) { try Record.file.decode(bytes, name: "x", requiresKey: true) }
        }

        @Test func `a complete record of a later format is refused`() throws {
            var record = try FormatTests.record(codecs: [])
            record.format = 2
            let bytes = try Record.file.encode(record)

            #expect(throws: EngineError.self) { try Record.file.decode(bytes, name: "x", requiresKey: true) }
        }

        @Test(
            arguments: [
                "9223372036854775807", "-9223372036854775808", "99999999999999999", "1e18", "1E+18",
                "10000000000000000.5",
            ])
        func `a number with which one could not go on computing is refused`(number: String) throws {
            for text in ["{\"a\": \(number)}", "{\"a\":\n\(number) }", "{\"\\\"\": 0, \"a\":\(number)}"] {
                #expect(throws: DecodingError.self, "\(text)") {
                    try CanonicalJSON.decode([String: Int].self, from: Array(text.utf8))
                }
            }
            let wide = Array("{\"a\": \(number)}".utf8).flatMap { [$0, UInt8(0)] }
            #expect(throws: DecodingError.self) { try CanonicalJSON.decode([String: Int].self, from: wide) }
        }

        @Test func `usual numbers are read, and digits in words`() throws {
            let text = "{\"12345678901234567890 \\\" 1e9\": -9999999999999999, \"b\": 0}"

            let values = try CanonicalJSON.decode([String: Int].self, from: Array(text.utf8))

            #expect(values == ["12345678901234567890 \" 1e9": -9_999_999_999_999_999, "b": 0])
        }

        @Test(arguments: ["../\u{0301}evil", "a/..\u{2F}\u{0301}b/c"])
        func `a path is split where the file system splits it`(path: String) {
            let member = Member(kind: .file, path: path, mode: 0o600, modifiedAt: 0, byteCount: 0, offset: 0)

            #expect(!member.hasSafePath)
        }

        @Test(arguments: ["20250230000000", "20250431000000", "20250229000000"])
        func `a label of a day that does not exist is refused`(text: String) {
            #expect(BackupLabel(text) == nil)
        }
    }
}
