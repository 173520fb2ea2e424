import ArgumentParser
import BackupAPI

/// The options that say where the secret comes from that opens encrypted backups.
package struct SecretOptions: ParsableArguments, Sendable {
    @Option(
        name: .long,
        help: ArgumentHelp("The master key file, in place of ~/.pgmoneta/master.key.", valueName: "file"))
    var masterKey: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Open encrypted backups with a passphrase: the first line of a file; '-' is standard input.",
            valueName: "file"))
    var passphraseFile: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Open encrypted backups with what a command prints: a master key file, or a passphrase.",
            valueName: "command"))
    var keyCommand: String?

    package init() {}

    /// The one that was given, else the standard master key file.
    func source() throws(UsageError) -> MasterKeySource {
        let sources = [
            masterKey.map { MasterKeySource.file($0) }, passphraseFile.map { .passphraseFile($0) },
            keyCommand.map { .command($0) },
        ].compactMap(\.self)
        guard sources.count <= 1 else {
            throw UsageError(
                "more than one secret was given",
                remedy: "Use one of --master-key, --passphrase-file and --key-command.")
        }
        return sources.first ?? .file(nil)
    }

    /// The one that was given, for a program that needs it again and again.
    package func lastingSource() throws(UsageError) -> MasterKeySource {
        let source = try source()
        guard source != .passphraseFile("-") else {
            throw UsageError(
                "a passphrase from standard input can be read once only",
                remedy: "Use a file with --passphrase-file, or --key-command.")
        }
        return source
    }
}
