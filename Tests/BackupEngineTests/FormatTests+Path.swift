import TestSupport
import Testing

@testable import BackupEngine

extension FormatTests {
    @Suite struct Path {
        @Test(arguments: [
            ("caf\u{E9}", Array("caf\u{E9}".utf8)), ("caf\u{10FFE9}", [0x63, 0x61, 0x66, 0xE9]),
            ("\u{10FFC3}", [0xC3]), ("\u{10FFC3}x", [0xC3, 0x78]), ("\u{10FFE2}\u{10FF82}/", [0xE2, 0x82, 0x2F]),
            ("\u{10FFED}\u{10FFA0}\u{10FF80}", [0xED, 0xA0, 0x80]), ("\u{10FF7F}", [0xF4, 0x8F, 0xBD, 0xBF]),
            ("\u{10FFF4}\u{10FF8F}\u{10FFBE}\u{10FF80}", [0xF4, 0x8F, 0xBE, 0x80]), ("", []),
        ])
        func `a name is the documented text`(text: String, bytes: [UInt8]) {
            #expect(PathText.text(bytes) == text)
            #expect(PathText.bytes(text) == bytes)
        }

        @Test func `any bytes come back, and no two names have one text`() {
            var names: [[UInt8]] = (0...0xFFFF).map { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
            var state: UInt64 = 2025
            let leads: [UInt8] = [0x41, 0x80, 0xBF, 0xC3, 0xE2, 0xED, 0xF0, 0xF4, 0x8F, 0xBE, 0xBD, 0xFF]
            for _ in 0..<5000 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                names.append((0..<7).map { leads[Int(state >> (8 + 7 * UInt64($0)) & 0x7F) % leads.count] })
            }
            names = Array(Set(names))

            let texts = names.map { PathText.text($0) }

            for (name, text) in zip(names, texts) { #expect(PathText.bytes(text) == name) }
            #expect(Set(texts.map { Array($0.utf8) }).count == names.count)
        }

        /// A forged index cannot make a path of what is none.
        @Test func `no character stands for a slash, a dot or a control character`() {
            for byte in UInt8.min...0x7F {
                let text = String(Unicode.Scalar(0x10FF00 | UInt32(byte)) ?? " ")
                #expect(PathText.bytes(text) == Array(text.utf8))
            }
        }

        @Test func `people see the bytes`() {
            #expect(PathText.shown("a\u{10FFE9}\u{10FF80}ü") == "a\\xE9\\x80ü")
            #expect(PathText.shown("plain \u{10FF7F}") == "plain \u{10FF7F}")
        }

        @Test func `tar and manifest give a file one name`() throws {
            let folder = try TemporaryFolder()
            let make = "mkdir d && printf x > \"d/$(printf '\\351t\\351 \\303\\274')\" && tar --format=ustar -c d"
            let bytes = try Program.run("/bin/sh", ["-c", "cd '\(folder.path)' && \(make)"]).output
            let collector = Tar.Collector()
            _ = try Tar.read(bytes, pieces: 512, into: collector)
            let manifest = "{\"Files\": [{\"Encoded-Path\": \"642fe974e920c3bc\", \"Size\": 1}]}"

            let files = try Manifest.read([Array(manifest.utf8)[...]])

            #expect(collector.members.last?.path == "d/\u{10FFE9}t\u{10FFE9} ü")
            #expect(collector.members.last?.hasSafePath == true)
            #expect(files.map(\.path) == ["d/\u{10FFE9}t\u{10FFE9} ü"])
        }
    }
}
