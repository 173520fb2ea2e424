import BackupAPI
import BackupEngine
import Testing

@Suite struct ConfigurationFaultTests {
    /// What a line in a place gives: kind, line, and a word that problem or remedy must hold.
    struct Case: Sendable, CustomTestStringConvertible {
        let text: String
        let kind: ConfigurationFault.Kind
        let line: Int
        let word: String
        var testDescription: String { text }
    }

    private static func global(
        _ line: String, _ kind: ConfigurationFault.Kind, _ word: String
    ) -> Case {
        Case(text: "[pgmoneta]\nbase_dir = /b\n\(line)\n", kind: kind, line: 3, word: word)
    }

    private static func server(
        _ line: String, _ kind: ConfigurationFault.Kind, _ word: String
    ) -> Case {
        Case(text: ConfigurationSamples.minimal + line + "\n", kind: kind, line: 6, word: word)
    }

    static let cases: [Case] = [
        global("compresion = zstd", .unknownKey, "'compression'"),
        global("compression = zsdt", .invalidValue, "'zstd'"),
        global("compression = server-bzip2", .invalidValue, "gzip, lz4, zstd"),
        global("compression = aes", .invalidValue, "Allowed: none, gzip"),
        global("compression_level = 99", .invalidValue, "0 to 22"),
        global("compression_level = 20", .invalidValue, "1 to 19"),
        global("encryption = aes-265-gcm", .invalidValue, "'aes-256-gcm'"),
        global("encryption = zstd", .invalidValue, "aes-256-gcm"),
        global("workers = many", .invalidValue, "whole number"),
        global("workers = -1", .invalidValue, "Allowed: 0"),
        global("workers = 4 # all", .invalidValue, "a line of its own"),
        global("retention = soon", .invalidValue, "days, weeks"),
        global("verification = 1y", .invalidValue, "1H"),
        global("max_rate = fast", .invalidValue, "10MB"),
        global("manifest = sha1", .invalidValue, "sha224"),
        global("log_level = inof", .invalidValue, "'info'"),
        global("log_type = file", .missing, "log_path"),
        global("create_slot = perhaps", .invalidValue, "on or off"),
        global("workspace = scratch", .invalidValue, "absolute"),
        global("workspace = $NOT_SET_HERE/x", .invalidValue, "NOT_SET_HERE"),
        global("workspace = ${HOME/x", .invalidValue, "${NAME}"),
        global("workspace =", .invalidValue, "no value"),
        global("storage_engine = azure", .unsupported, "Azure"),
        global("storage_engine = loca", .invalidValue, "'local'"),
        global("storage_engine = s3", .missing, "s3_bucket"),
        global("storage_engine = ssh\nssh_base_dir = /x", .missing, "ssh_hostname"),
        global("target = elsewhere\n[p]\nhost = h\nuser = u", .unknownName, "Defined: local"),
        global("user = u", .unknownKey, "section of a server"),
        server("base_dir = /x", .unknownKey, "belongs into [pgmoneta]"),
        server("sslmode = sometimes", .invalidValue, "verify-full"),
        server("port = 0", .invalidValue, "1 to 65535"),
        server("target = loacl", .unknownName, "'local'"),
        server("compression_level = 12\ncompression = bzip2", .invalidValue, "1 to 9"),
        server("[target:x]", .missing, "url"),
        server("[tagret:x]", .unknownSection, "'target'"),
        server("[target:local]\nurl = file:///x", .duplicate, "another name"),
        server("[all]", .invalidValue, "reserved"),
        server("[keys]", .invalidValue, "keeps its keys"),
        server("[a/b]", .invalidValue, "is not a name"),
        server("[..]", .invalidValue, "is not a name"),
        server("[pgmonta]\nuser = u", .missing, "'pgmoneta'"),
        Case(
            text: "[pgmoneta]\n[target:t]\nurl = gopher://x\n", kind: .unsupported, line: 3, word: "file, s3, sftp"),
        Case(
            text: "[pgmoneta]\n[target:t]\nurl = s3://u:secret@x\n", kind: .invalidValue, line: 3, word: "password"),
        Case(
            text: "[pgmoneta]\n[target:t]\nurl = s3://x\nregoin = y\n", kind: .unknownKey, line: 4, word: "'region'"),
        Case(text: "[pgmoneta]\n", kind: .missing, line: 1, word: "base_dir"),
        Case(text: "", kind: .missing, line: 0, word: "[pgmoneta]"),
    ]

    @Test(arguments: cases)
    func `a fault names its place, what is allowed and the nearest name`(_ example: Case) throws {
        let faults = ConfigurationSamples.faults(example.text)

        let fault = try #require(faults.first)
        #expect(faults.count == 1, "\(faults.map(\.summary))")
        #expect(fault.kind == example.kind)
        #expect(fault.place == SourcePlace(file: "pgmoneta.conf", line: example.line))
        #expect("\(fault.problem) \(fault.remedy)".contains(example.word), "\(fault.problem) \(fault.remedy)")
        #expect(!fault.problem.contains("secret"))
    }

    @Test func `all faults are given at once, in the order of the file`() {
        let faults = ConfigurationSamples.faults(
            "[pgmoneta]\nbase_dir = /b\nworkers = x\nfoo = 1\n[p]\nport = 0\ncompression = y\n[p]\n")

        #expect(faults.map(\.place.line) == [3, 4, 5, 5, 6, 7, 8])
    }

    @Test func `the error names the first fault, how many follow, and where to see them`() throws {
        let error = #expect(throws: ConfigurationError.self) {
            _ = try ConfigurationSamples.load("[pgmoneta]\nbase_dir = /b\nworkers = x\nfoo = 1\n")
        }

        #expect(error?.code == "configuration-invalid-value")
        #expect(error?.summary == "pgmoneta.conf:3: workers: 'x' is not allowed (and 1 more)")
        #expect(error?.remedy.contains("conf check") == true)
        #expect(error?.retry == .never)
    }

    @Test func `every key of the schema is read or ignored for a reason, and stands once in a section`() {
        for scope in ConfigurationSchema.Scope.allCases {
            let names = ConfigurationSchema.names(in: scope)
            #expect(Set(names).count == names.count)
        }
        #expect(Set(ConfigurationSchema.rows.compactMap(\.key)) == Set(ConfigurationSchema.Key.allCases))
    }

    @Test func `every default in the schema is a value of its kind`() throws {
        let lines = ConfigurationSchema.rows.filter { $0.scopes.contains(.global) && $0.name != "storage_engine" }
            .compactMap { row in row.standard.map { "\(row.name) = \($0)" } }

        #expect(ConfigurationSamples.faults("[pgmoneta]\nbase_dir = /b\n" + lines.joined(separator: "\n")).isEmpty)
    }
}
