import BackupEngine
package import ArgumentParser

/// `master-key [--passphrase]`.
package struct MasterKeyCommand: AdministrationCommand {
    package static let configuration = CommandConfiguration(
        commandName: "master-key", abstract: "Make the master key of this machine, once.",
        discussion: """
            The key is random unless a passphrase is asked for with --passphrase or given with --password-file. Keep a copy of \
            the file in a safe place: without it, encrypted backups are lost.
            """)
    package static let name = CommandName.masterKey

    @OptionGroup package var options: AdministrationOptions

    @Flag(help: "Derive the key from a passphrase of at least 8 characters, typed twice.")
    var passphrase = false

    package init() {}

    package var request: [String: OutputValue] { options.file.map { ["File": .string($0)] } ?? [:] }

    package func answer(_ session: Session) async throws -> CommandAnswer {
        let path = try options.file ?? MasterKeyFile.standardPath(session.environment, option: "--file")
        let source = PasswordSource(file: options.passwordFile, environmentValue: nil)
        let isDerived = passphrase || options.passwordFile != nil
        let secret = isDerived ? try source.password(prompt: "Passphrase of the master key", shortest: 8) : nil
        let key = try MasterKeyFile(path: path, cryptography: session.kit.cryptography).create(passphrase: secret)
        return .response([
            "File": .string(path), "KeyId": .string(key.id), "Kind": .string(isDerived ? "passphrase" : "random"),
            "ServerVersion": .string(ProgramVersion.text),
        ])
    }
}
