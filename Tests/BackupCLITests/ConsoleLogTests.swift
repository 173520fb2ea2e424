import BackupCLI
import Logging
import TestSupport
import Testing

/// What an operator sees on standard error.
@Suite struct ConsoleLogTests {
    /// Runs a command whose service logs at each level.
    private func errors(_ options: [String], isErrorTerminal: Bool = false) async throws -> String {
        try await withTemporaryFolder { folder in
            try folder.write(Array("[pgmoneta]\nbase_dir = /b\n[primary]\nhost = h\nuser = u\n".utf8), to: "p.conf")
            var bench = CommandBench()
            bench.makeService = { _, _, _ in
                for level in Logger.Level.allCases { Logger.current.log(level: level, "said", metadata: ["n": "1"]) }
                return SampleService()
            }
            var session = bench.session
            session.console = bench.captured.console(isErrorTerminal: isErrorTerminal)
            let arguments = ["primary", "-c", folder.path("p.conf")] + options

            let exitCode = await CommandRunner(session).run(try ListBackupCommand.make(from: arguments))

            #expect(exitCode == .done)
            #expect(!bench.captured.output.contains("said"))
            return bench.captured.errors
        }
    }

    @Test func `notices and warnings are shown, and -v shows what is done`() async throws {
        let usual = ["notice", "warning", "error", "critical"].map { "\($0): said n=1\n" }.joined()

        #expect(try await errors([]) == usual)
        #expect(try await errors(["-v"]) == "debug: said n=1\ninfo: said n=1\n" + usual)
    }

    @Test func `a line on a terminal begins where progress stood`() async throws {
        let text = try await errors([], isErrorTerminal: true)

        #expect(text.hasPrefix("\r\u{1B}[Knotice: said n=1\n\r\u{1B}[Kwarning: "))
    }
}
