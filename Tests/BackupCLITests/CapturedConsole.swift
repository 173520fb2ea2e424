import BackupAPI
import BackupCLI
import Codecs
import Synchronization

/// Keeps what a command writes.
final class CapturedConsole: Sendable {
    private let texts = Mutex<(output: String, errors: String)>(("", ""))

    var output: String { texts.withLock { $0.output } }
    var errors: String { texts.withLock { $0.errors } }

    /// A console that writes here.
    func console(isErrorTerminal: Bool = false) -> Console {
        Console(
            output: { [self] text in texts.withLock { $0.output += text } },
            errors: { [self] text in texts.withLock { $0.errors += text } }, isErrorTerminal: isErrorTerminal)
    }
}

/// Runs commands inside the test, at a fixed moment.
struct CommandBench {
    /// Backends are only looked up by name here, never opened.
    static let kit = Kit(
        backends: BackendRegistry(
            ["file", "s3", "sftp"].map { scheme in
                BackendFactory(
                    scheme: scheme,
                    settings: [SettingDeclaration("secret_access_key", isSecret: true, purpose: "who")]
                ) { _ throws(StorageError) in throw StorageError(.unsupported, operation: .open, target: scheme) }
            }),
        codecs: StandardCodecs.registry, cryptography: OpenSSLCryptography())

    let captured = CapturedConsole()
    var kit = Self.kit
    var environment: [String: String] = ["HOME": "/nowhere"]
    var makeService: Session.ServiceMaker?
    /// 2024-09-28 06:56:44 UTC.
    var unixSeconds = 1_727_506_604

    var session: Session {
        let moment = unixSeconds
        return Session(
            program: "pgmoneta-cli", kit: kit, environment: environment,
            clock: CommandClock(unixSeconds: { moment }, uptime: { .zero }), console: captured.console(),
            makeService: makeService)
    }

    /// Runs a command and gives its exit code.
    func run(_ command: any SessionCommand) async -> ExitCode { await CommandRunner(session).run(command) }
}
