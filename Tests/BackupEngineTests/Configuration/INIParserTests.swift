import BackupEngine
import Testing

@Suite struct INIParserTests {
    @Test func `sections, keys, comments, quotes and CRLF are read`() {
        let text =
            "\u{FEFF}# top\r\n[a]\r\nk = v # not a comment\r\n ; comment\r\nq=\" x \"\n\n[b c]\nurl = s3://x/?a=b\n"

        let (document, faults) = INIParser.parse(text, fileName: "f")

        #expect(faults.isEmpty)
        #expect(document.sections.map(\.name) == ["a", "b c"])
        #expect(document.sections.map(\.line) == [2, 7])
        #expect(document.sections[0].entries.map(\.key) == ["k", "q"])
        #expect(document.sections[0].entries.map(\.value) == ["v # not a comment", " x "])
        #expect(document.sections[0].entries.map(\.line) == [3, 5])
        #expect(document.sections[1].entries.first?.value == "s3://x/?a=b")
    }

    @Test(arguments: [
        ("k = v\n", 1), ("[a]\nhello\n", 2), ("[a\nk = v\n", 1), ("[]\n", 1), ("[a]\n= v\n", 2),
        ("[a]\nk = 1\nk = 2\n", 3), ("[a]\n[b]\n[a]\nk = 1\n", 3),
    ])
    func `a malformed line is reported once, with its line`(text: String, line: Int) {
        let (_, faults) = INIParser.parse(text, fileName: "f.conf")

        #expect(faults.map(\.place) == [SourcePlace(file: "f.conf", line: line)])
        #expect(faults.allSatisfy { !$0.remedy.isEmpty })
    }

    @Test func `any bytes that are text give a document and faults, never a crash`() {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<500 {
            let alphabet = Array("[]=#; \t\r\n'\"ak€:")
            let text = String((0..<40).map { _ in alphabet[Int(generator.next() % UInt64(alphabet.count))] })
            let (document, _) = INIParser.parse(text, fileName: "f")
            #expect(Set(document.sections.map(\.name)).count == document.sections.count)
        }
    }
}

/// SplitMix64: the same numbers for the same seed.
struct SeededGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
