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
