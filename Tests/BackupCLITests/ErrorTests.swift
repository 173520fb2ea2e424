import BackupAPI
import BackupCLI
import BackupEngine
import PostgresClient
import Testing

@Suite struct ErrorTests {
    @Test func `every code and number is there once`() {
        #expect(Set(ErrorNumbers.table.map(\.code)).count == ErrorNumbers.table.count)
        #expect(Set(ErrorNumbers.table.map(\.number)).count == ErrorNumbers.table.count)
        #expect(!ErrorNumbers.table.map(\.number).contains(ErrorNumbers.other))
    }

    /// The codes of every error that a user can meet.
    private var codes: Set<String> {
        var codes = Set([UsageError("", remedy: "").code])
        codes.formUnion(StorageError.Reason.allCases.map { StorageError($0, operation: .read, target: "").code })
        codes.formUnion(CodecError.Reason.allCases.map { CodecError($0, codec: "").code })
        codes.formUnion(ConfigurationFault.Kind.allCases.map { "configuration-\($0.rawValue)" })
        codes.formUnion(CommandError.Kind.allCases.map { CommandError($0, "", remedy: "").code })
        codes.formUnion(EngineError.Reason.allCases.map { EngineError($0, "").code })
        codes.formUnion(PostgresError.Reason.allCases.map { PostgresError($0, .connect, server: "").code })
        return codes
    }

    @Test func `every error that a user can meet has a number, and every number an error`() {
        let numbered = Set(ErrorNumbers.table.map(\.code))

        #expect(codes.subtracting(numbered).sorted() == [])
        #expect(numbered.subtracting(codes).sorted() == [])
    }

    @Test func `exit codes follow from the error`() {
        func code(_ reason: StorageError.Reason) -> ExitCode {
            ExitCode(for: StorageError(reason, operation: .write, target: ""))
        }
        #expect(code(.throttled) == .later)
        #expect(code(.unavailable) == .later)
        #expect(code(.noSpace) == .failed)
        #expect(code(.misconfigured) == .usage)
        #expect(ExitCode(for: UsageError("x", remedy: "y")) == .usage)
        #expect(ExitCode(for: CodecError(.misconfigured, codec: "zstd")) == .usage)
        #expect(ExitCode(for: CommandError.interrupted) == .failed)
    }

    @Test func `what was thrown without words gets words`() {
        struct Odd: Error {}
        #expect(CommandError.remediable(Odd()).code == "unexpected")
        #expect(CommandError.remediable(CancellationError()).code == "interrupted")
    }

    @Test(
        arguments: [
            CancellationError(), StorageError(.cancelled, operation: .read, target: ""),
            PostgresError(.cancelled, .backup, server: "db"), EngineError(.cancelled, "x"),
        ] as [any Error])
    func `whatever a stopped command throws says that it was interrupted`(_ error: any Error) {
        #expect(CommandError.remediable(error).code == "interrupted")
    }
}
