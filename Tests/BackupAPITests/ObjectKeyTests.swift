import BackupAPI
import Testing

struct ObjectKeyTests {
    @Test(arguments: ["a", "a/b/c", "with space", ".hidden", "...", "a..b", "%2e%2e", "\u{E9}", "a\u{301}/b", "\\"])
    func `a well-formed name is kept as it is`(name: String) throws {
        let key = try ObjectKey(name)

        #expect(Array(key.string.utf8) == Array(name.utf8))
        #expect(key.description == name)
    }

    @Test(arguments: [
        "", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "../a", "a/.", "a\u{0}b", "a\nb", "a\r\nb", "\u{7F}",
        "a/.pgmoneta-tmp-1/b", ".pgmoneta-tmp-",
    ])
    func `a name that a storage place could misread is refused`(name: String) {
        let error = #expect(throws: StorageError.self) { try ObjectKey(name) }

        #expect(error?.reason == .invalidKey)
        #expect(error?.operation == .name)
    }

    @Test(arguments: ["../\u{301}x", "..\u{2F}\u{301}", "a/\u{301}/../b", ".pgmoneta-tmp-\u{301}x", "a/\u{200D}/.."])
    func `a combining mark does not hide a slash or a reserved name`(name: String) {
        #expect(throws: StorageError.self) { try ObjectKey(name) }
    }

    @Test func `names are limited in whole and by component`() throws {
        let component = String(repeating: "n", count: ObjectKey.maximumComponentByteCount)
        let long = Array(repeating: "12345678", count: 200).joined(separator: "/")

        #expect(throws: Never.self) { try ObjectKey(component + "/" + component) }
        #expect(throws: StorageError.self) { try ObjectKey(component + "n") }
        #expect(throws: StorageError.self) { try ObjectKey(long) }
        #expect(throws: Never.self) { try ObjectKey(String(long.prefix(1_016))) }
    }

    @Test func `keys are cut at slashes`() throws {
        let key = try ObjectKey("a/b\u{301}/\u{301}c")

        #expect(
            key.components.map(String.init).map { Array($0.utf8) }
                == ["a", "b\u{301}", "\u{301}c"].map { Array($0.utf8) })
        #expect(Array(key.name.utf8) == Array("\u{301}c".utf8))
        #expect(try ObjectKey("alone").name == "alone")
    }

    @Test func `letters that only look the same make different keys`() throws {
        let composed = try ObjectKey("\u{E9}")
        let decomposed = try ObjectKey("e\u{301}")

        #expect(composed != decomposed)
        #expect(Set([composed, decomposed]).count == 2)
        #expect(decomposed < composed)
    }

    @Test func `keys sort by bytes and not by folders`() throws {
        let keys = try ["b", "a/b", "a.b", "a-b", "a", "\u{E9}", "Z", "a0"].map { try ObjectKey($0) }

        #expect(keys.sorted().map(\.string) == ["Z", "a", "a-b", "a.b", "a/b", "a0", "b", "\u{E9}"])
    }
}
