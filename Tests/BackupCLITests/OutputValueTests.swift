import BackupCLI
import Testing

@Suite struct OutputValueTests {
    @Test(arguments: [
        (0, "0.00B"), (512, "512.00B"), (1_023, "1023.00B"), (1_024, "1.00kB"), (1_536, "1.50kB"),
        (8_531_968, "8.14MB"), (48_799_744, "46.54MB"), (124_312, "121.40kB"), (1_073_741_824, "1.00GB"),
        (1_048_575, "1024.00kB"), (5 << 40, "5.00TB"), (3 << 50, "3.00PB"), (Int.max, "8192.00PB"),
        (1_029, "1.00kB"), (1_152, "1.12kB"), (1_408, "1.38kB"), (-2_048, "-2.00kB"),
    ])
    func `a size has two decimals, rounded as printf does, and a unit of 1024`(bytes: Int, text: String) {
        #expect(HumanSize.text(bytes) == text)
    }

    @Test func `a span is written as hours, minutes and seconds`() {
        #expect(ElapsedTime.text(seconds: 20) == "00:00:20")
        #expect(ElapsedTime.text(seconds: 3_661) == "01:01:01")
        #expect(ElapsedTime.text(seconds: 360_000) == "100:00:00")
    }

    @Test(arguments: [
        ("", "''"), ("plain text", "plain text"), ("20240928065644", "20240928065644"), ("00:00:20", "00:00:20"),
        ("a\nb", #""a\nb""#), (" lead", #"" lead""#), ("trail ", #""trail ""#), ("a: b", #""a: b""#),
        ("end:", #""end:""#), ("- item", #""- item""#), ("-1", "-1"), ("{}", #""{}""#), ("[]", #""[]""#),
        ("''", #""''""#), (#"say "hi""#, #"say "hi""#), (#""quoted""#, #""\"quoted\"""#), ("a #b", #""a #b""#),
        ("\u{1B}[2J", #""\u001b[2J""#), ("\u{202E}gnp", #""\u202egnp""#), ("tab\there", #""tab\there""#),
        ("größe €", "größe €"), (#"C:\x"#, #"C:\x"#), ("a: \u{301}b", "\"a: \u{301}b\""),
    ])
    func `text that the layout could not carry is quoted`(text: String, expected: String) {
        #expect(LayoutQuoting.quoted(text) == expected)
    }

    @Test func `nested lists and objects keep their indentation`() {
        let value: [String: OutputValue] = [
            "b": .list([
                .object(["x": .integer(1), "y": .list([.string("p"), .string("q")])]), .list([]), .object([:]),
            ]),
            "a": .object(["inner": .object([:])]), "c": .list([.list([.integer(1), .integer(2)])]),
        ]

        let text = LayoutRenderer(isTranslated: true).render(value)

        #expect(
            text == """
                a:
                  inner: {}
                b:
                  - x: 1
                    y:
                      - p
                      - q
                  - []
                  - {}
                c:
                  - - 1
                    - 2

                """)
    }

    @Test func `JSON escapes what it must and sorts its keys`() {
        let value = OutputValue.object([
            "b": .string("a\"\\\n\u{1}ü"),
            "a": .list([.bool(true), .size(5), .hexadecimal(255), .elapsed(seconds: 7)]),
            "c": .object([:]), "d": .named("zstd", number: 2),
        ])

        #expect(
            JSONRenderer.render(value) == """
                {
                  "a": [
                    true,
                    5,
                    255,
                    7
                  ],
                  "b": "a\\"\\\\\\n\\u0001ü",
                  "c": {},
                  "d": "zstd"
                }

                """)
    }

    @Test func `command numbers and names are unique, and those of the manual are kept`() {
        #expect(Set(CommandName.allCases.map(\.number)).count == CommandName.allCases.count)
        let known: [CommandName: Int] = [
            .backup: 1, .listBackup: 2, .restore: 3, .archive: 4, .delete: 5, .shutdown: 6, .status: 7,
            .statusDetails: 8, .ping: 9, .retain: 12, .expunge: 13, .decrypt: 14, .encrypt: 15, .decompress: 16,
            .compress: 17, .info: 18, .verify: 19, .annotate: 20, .mode: 24, .progress: 25,
        ]
        for (command, number) in known { #expect(command.number == number) }
    }
}
