package import ArgumentParser
import BackupEngine

/// `key add`.
package struct KeyAddCommand: KeyCommand {
    /// Fewest characters of a new passphrase.
    private static let shortestPassphrase = 8

    package static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Let one more secret open what this one opens.")
    package static let name = CommandName.keyAdd

    @OptionGroup package var administration: AdministrationOptions

    @Option(help: ArgumentHelp("A master key file.", valueName: "file"))
    var newMasterKey: String?

    @Flag(help: "A passphrase, asked for on the terminal.")
    var newPassphrase = false

    @Option(help: ArgumentHelp("A passphrase, the first line of a file; '-' is standard input.", valueName: "file"))
    var newPassphraseFile: String?

    @Option(help: ArgumentHelp("What a command prints: a master key file, or a passphrase.", valueName: "command"))
    var newKeyCommand: String?

    @Option(name: .customLong("name"), help: "What 'key list' shall call the recipient.")
    var recipientName: String?

    package init() {}

    package var request: [String: OutputValue] { recipientName.map { ["Name": .string($0)] } ?? [:] }
    package var otherSources: [MasterKeySource] { [] }

    package func action(_ session: Session) throws -> KeyRequest.Action {
        let count = [newMasterKey, newPassphraseFile, newKeyCommand].compactMap(\.self).count + (newPassphrase ? 1 : 0)
        guard count == 1 else {
            throw UsageError(
                "one new secret is needed",
                remedy: "Use one of --new-master-key, --new-passphrase, --new-passphrase-file and --new-key-command.")
        }
        if let recipientName { try Self.check(recipientName) }
        return .add(try secret(session), name: recipientName)
    }

    private func secret(_ session: Session) throws -> MasterKey {
        if let newMasterKey { return try MasterKeySource.file(newMasterKey).load(session) }
        if let newKeyCommand { return try MasterKeySource.command(newKeyCommand).load(session) }
        let source = PasswordSource(file: newPassphraseFile, environmentValue: nil)
        return MasterKey(
            passphrase: try source.password(prompt: "New passphrase", shortest: Self.shortestPassphrase))
    }

    private static func check(_ name: String) throws(UsageError) {
        let isPrintable = name.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
        guard !name.isEmpty, name.utf8.count <= 128, isPrintable else {
            throw UsageError(
                "the name is empty, too long, or has control characters", remedy: "Use at most 128 bytes of text.")
        }
    }
}
