import BackupAPI
package import BackupEngine
import Glibc
import Synchronization

/// Where a secret comes from that opens encrypted repositories.
package enum MasterKeySource: Sendable, Hashable {
    /// A master key file; nil is the standard one.
    case file(String?)
    /// A passphrase in the first line of a file; `-` is standard input.
    case passphraseFile(String)
    /// What a command prints: the text of a master key file, else a passphrase in the first line.
    case command(String)

    /// Gets the secret.
    /// - Throws: `.masterKeyMissing` and others of `MasterKeyFile.load`; `.passwordUnusable`.
    package func load(_ session: Session) throws -> MasterKey {
        switch self {
        case .file(let path): return try session.masterKeyFile(path).load()
        case .passphraseFile("-") where isatty(STDIN_FILENO) == 1:
            return MasterKey(passphrase: try Terminal.readHidden(prompt: "Passphrase: "))
        case .passphraseFile(let path):
            let source = PasswordSource(file: path, environmentValue: nil)
            return MasterKey(passphrase: try source.password(prompt: "Passphrase", shortest: 1))
        case .command(let command):
            return try Self.key(printedBy: command, session)
        }
    }

    private static func key(printedBy command: String, _ session: Session) throws -> MasterKey {
        let printed = ShellCommand.output(of: command, environment: session.environment) { Task.isCancelled }
        try Task.checkCancellation()
        guard let bytes = printed, !bytes.isEmpty else {
            throw CommandError(
                .masterKeyMissing, "the key command failed, printed nothing or too much, or took longer than 30 s",
                remedy: "Run it by hand as the same user: '\(command)'.")
        }
        if let key = try MasterKeyText.key(in: bytes, session.kit.cryptography) { return key }
        guard !bytes.starts(with: MasterKeyText.header.utf8) else {
            throw CommandError(
                .masterKeyMalformed, "what the key command prints is a damaged master key",
                remedy: "Store the whole text of the master key file there.")
        }
        return MasterKey(passphrase: try PasswordSource.checked(PasswordSource.firstLine(bytes), shortest: 1))
    }
}

extension MasterKey {
    /// The key, which must be one by itself, without a salt that stands elsewhere.
    func requiredForFiles() throws(UsageError) -> MasterKey {
        guard !isPassphrase else {
            throw UsageError(
                "a passphrase opens repositories, not single files",
                remedy: "Use a master key file; 'pgmoneta-admin master-key --passphrase' makes one from a passphrase.")
        }
        return self
    }
}

/// Gets the secret once, although several targets ask for it: standard input gives it once only.
final class MasterKeyCache: Sendable {
    private let known = Mutex<[MasterKeySource: MasterKey]>([:])

    /// The secret of a source.
    func key(_ source: MasterKeySource, _ session: Session) throws -> MasterKey {
        if let key = known.withLock({ $0[source] }) { return key }
        let key = try source.load(session)
        known.withLock { $0[source] = key }
        return key
    }
}
