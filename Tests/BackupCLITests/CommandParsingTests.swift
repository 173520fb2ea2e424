import BackupCLI
import Testing

@Suite struct CommandParsingTests {
    private func command<C: SessionCommand>(_ arguments: [String], as type: C.Type) throws -> C {
        guard case .command(let parsed) = CommandTree(program: .user).parse(arguments) else {
            throw UsageError("not a command", remedy: "")
        }
        return try #require(parsed as? C)
    }

    @Test(arguments: [
        ["-c", "/x.conf", "-F", "json", "--target", "a, s3://b/c", "target", "ls"],
        ["target", "ls", "-c", "/x.conf", "-F", "json", "--target", "a, s3://b/c"],
        ["-c", "/x.conf", "target", "-F", "json", "ls", "--target=a,s3://b/c"],
    ])
    func `the options may stand before or behind the command`(arguments: [String]) throws {
        let parsed = try command(arguments, as: TargetListCommand.self)

        #expect(parsed.format == .json)
        #expect(parsed.options.targets == ["a", "s3://b/c"])
        #expect(parsed.options.configurationPath([:]) == "/x.conf")
    }

    @Test(arguments: [
        [], ["conf"], ["bogus"], ["target", "ls", "too", "much"], ["target", "ls", "-F", "xml"],
        ["conf", "ls", "--nope"],
    ])
    func `wrong usage is exit code 2 with an error line`(arguments: [String]) {
        guard case .text(let text, let exitCode) = CommandTree(program: .user).parse(arguments) else {
            Issue.record("\(arguments) was taken for a command")
            return
        }
        #expect(exitCode == .usage)
        #expect(text.hasPrefix("error: "))
        #expect(text.contains("pgmoneta-cli"))
    }

    @Test(arguments: [
        ["-?"], ["--help"], ["target", "ls", "--help"], ["conf", "-?"], ["help"], ["help", "conf"],
    ])
    func `help is exit code 0`(arguments: [String]) {
        guard case .text(let text, let exitCode) = CommandTree(program: .user).parse(arguments) else {
            Issue.record("\(arguments) was taken for a command")
            return
        }
        #expect(exitCode == .done)
        #expect(text.contains("USAGE: pgmoneta-cli"))
        #expect(text.hasPrefix("OVERVIEW: "))
    }

    @Test(arguments: [["-V"], ["--version"], ["target", "ls", "--version"], ["bogus", "-V"]])
    func `the version needs nothing else to be right`(arguments: [String]) {
        guard case .text(let text, .done) = CommandTree(program: .user).parse(arguments) else {
            Issue.record("no version")
            return
        }
        #expect(text == "pgmoneta-cli \(ProgramVersion.text)\n")
    }

    @Test func `restore takes a position before the directory`() throws {
        let parsed = try RestoreCommand.make(from: [
            "primary", "newest", "xid=5,replica", "/out", "--force", "--tablespace-mapping", "/a=/b",
            "--tablespace-mapping", "/c=/d",
        ])

        #expect(try parsed.parsedRest().directory == "/out")
        #expect(try parsed.parsedRest().position.target == .transaction(5))
        #expect(try parsed.parsedMappings().map(\.old) == ["/a", "/c"])
        #expect(parsed.request["Position"] == .string("xid=5,replica"))
        #expect(
            try RestoreCommand.make(from: ["primary", "newest", "/out"]).parsedRest().position == RestorePosition())
    }

    @Test func `restore refuses too many arguments and a doubled mapping`() throws {
        #expect(throws: UsageError.self) {
            try RestoreCommand.make(from: ["p", "newest", "current", "/out", "/more"]).parsedRest()
        }
        #expect(throws: UsageError.self) {
            try RestoreCommand.make(from: [
                "p", "newest", "/out", "--tablespace-mapping", "/a=/b", "--tablespace-mapping", "/c=/b",
            ]
            ).parsedMappings()
        }
        #expect(throws: (any Error).self) { try RestoreCommand.make(from: ["p", "newest"]) }
    }

    @Test func `verify takes a directory, what to list, both or neither`() throws {
        func rest(_ arguments: String...) throws -> (directory: String?, detail: VerifyRequest.Detail) {
            try VerifyCommand.make(from: ["primary", "oldest"] + arguments).parsedRest()
        }
        #expect(try rest() == (nil, .failed))
        #expect(try rest("/tmp") == ("/tmp", .failed))
        #expect(try rest("all") == (nil, .all))
        #expect(try rest("/tmp", "all") == ("/tmp", .all))
        #expect(throws: UsageError.self) { try rest("/tmp", "some") }
        #expect(throws: UsageError.self) { try rest("/tmp", "/x", "all") }
    }

    @Test func `list-backup sorts either way and no other`() throws {
        #expect(try ListBackupCommand.make(from: ["primary", "--sort", "desc"]).request["Sort"] == .string("desc"))
        #expect(throws: (any Error).self) { try ListBackupCommand.make(from: ["primary", "--sort", "up"]) }
    }
}
