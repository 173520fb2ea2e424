import BackupEngine
import Testing

@Suite struct INIEditTests {
    private static let text = "# top\r\n[pgmoneta]\r\nworkers = 2\r\n; why\r\n\r\n[a b]\nhost = 'h'\n"

    @Test func `a line is replaced, and everything else stays as it was`() {
        let edited = INIEdit.text(Self.text, setting: "workers", to: "4", inSection: "pgmoneta")
        #expect(edited == Self.text.replacing("workers = 2", with: "workers = 4"))
    }

    @Test func `a new line comes behind the section's last one, ended as that`() {
        let first = INIEdit.text(Self.text, setting: "metrics", to: "1", inSection: "pgmoneta")
        let second = INIEdit.text(Self.text, setting: "user", to: "u", inSection: "a b")

        #expect(first == Self.text.replacing("workers = 2\r\n", with: "workers = 2\r\nmetrics = 1\r\n"))
        #expect(second == Self.text + "user = u\n")
        #expect(INIEdit.text("[x]", setting: "k", to: "v", inSection: "x") == "[x]\nk = v")
    }

    @Test func `there is no section that is not there`() {
        #expect(INIEdit.text(Self.text, setting: "k", to: "v", inSection: "b") == nil)
    }

    @Test(arguments: ["", "v", " v ", "'v'", "\"v\"", "a # b", "=", "[x]", "'", "ünï"])
    func `what was written is what is read`(value: String) throws {
        let edited = try #require(INIEdit.text(Self.text, setting: "k", to: value, inSection: "a b"))
        let (document, faults) = INIParser.parse(edited, fileName: "")

        #expect(faults.isEmpty)
        #expect(document.sections[1].entries.map(\.value) == ["h", value])
    }
}
