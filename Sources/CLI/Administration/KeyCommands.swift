package import ArgumentParser
import BackupEngine

/// `key list|add|remove|rotate`.
package struct KeyCommands: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "key", abstract: "Show and change who opens encrypted backups.",
        subcommands: [KeyListCommand.self, KeyAddCommand.self, KeyRemoveCommand.self, KeyRotateCommand.self])

    @OptionGroup var options: AdministrationOptions

    package init() {}
}

/// Secrets of recipients beside the one that every command takes.
package struct OtherSecretOptions: ParsableArguments, Sendable {
    @Option(help: ArgumentHelp("The master key file of a further recipient.", valueName: "file"))
    var otherMasterKey: [String] = []

    @Option(help: ArgumentHelp("A file with the passphrase of a further recipient.", valueName: "file"))
    var otherPassphraseFile: [String] = []

    @Option(help: ArgumentHelp("A command that prints the secret of a further recipient.", valueName: "command"))
    var otherKeyCommand: [String] = []

    package init() {}

    var sources: [MasterKeySource] {
        otherMasterKey.map { .file($0) } + otherPassphraseFile.map { .passphraseFile($0) }
            + otherKeyCommand.map { .command($0) }
    }
}

/// A command about the recipients of each target.
package protocol KeyCommand: UserCommand {
    /// The options of `pgmoneta-admin`.
    var administration: AdministrationOptions { get }
    /// What is done.
    func action(_ session: Session) throws -> KeyRequest.Action
    /// Where the secrets of further recipients come from.
    var otherSources: [MasterKeySource] { get }
}

extension KeyCommand {
    package var options: CommonOptions { administration.common }

    package func answer(_ session: Session) async throws -> CommandAnswer {
        let configuration = try session.configuration(options)
        let targets = try session.targets(options, of: nil, in: configuration)
        let service = try await session.service(configuration, options)
        let request = KeyRequest(
            command: Self.name, targets: targets, areTargetsNamed: !options.targets.isEmpty,
            action: try action(session), otherSources: otherSources)
        let answer = try await service.keys(request)
        let response = BackupReplies(codecs: session.kit.codecs).keys(answer)
        guard case .list = request.action else {
            return .response(response, changed: answer.targets) { "the recipients are as they were on \($0)" }
        }
        return .response(response, lookedAt: answer.targets)
    }
}

/// `key list`.
package struct KeyListCommand: KeyCommand {
    package static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List keys and recipients of each target; needs no secret.")
    package static let name = CommandName.keyList

    @OptionGroup package var administration: AdministrationOptions

    package init() {}

    package var request: [String: OutputValue] { [:] }
    package var otherSources: [MasterKeySource] { [] }
    package func action(_ session: Session) -> KeyRequest.Action { .list }
}

/// `key remove <recipient>`.
package struct KeyRemoveCommand: KeyCommand {
    package static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Take a recipient out, and make a new key for all others.",
        discussion: """
            Who had the secret may have kept the key, so new backups get another one, for which the secrets of all other \
            recipients are needed. With --keep-key there is none: for a secret that was lost and that nobody else has.
            """)
    package static let name = CommandName.keyRemove

    @OptionGroup package var administration: AdministrationOptions
    @OptionGroup var others: OtherSecretOptions

    @Flag(help: "Go on with the same key.")
    var keepKey = false

    @Option(help: ArgumentHelp("A recipient who does not get the new key.", valueName: "recipient"))
    var leaveOut: [String] = []

    @Argument(help: "The recipient's id or name, as 'key list' shows it.")
    var recipient: String

    package init() {}

    package var request: [String: OutputValue] {
        [
            "KeepKey": .bool(keepKey), "LeaveOut": .list(leaveOut.map { .string($0) }),
            "Recipient": .string(recipient),
        ]
    }

    package var otherSources: [MasterKeySource] { others.sources }

    package func action(_ session: Session) throws -> KeyRequest.Action {
        guard !keepKey || leaveOut.isEmpty else {
            throw UsageError(
                "--keep-key makes no new key that somebody could be left out of", remedy: "Leave one of the two away.")
        }
        return .remove(recipient, keepsKey: keepKey, leavingOut: leaveOut)
    }
}

/// `key rotate`.
package struct KeyRotateCommand: KeyCommand {
    package static let configuration = CommandConfiguration(
        commandName: "rotate", abstract: "Make a new key for new backups; old ones stay as they are.",
        discussion: "The secrets of all recipients are needed, because the new key is wrapped for each of them.")
    package static let name = CommandName.keyRotate

    @OptionGroup package var administration: AdministrationOptions
    @OptionGroup var others: OtherSecretOptions

    @Option(help: ArgumentHelp("A recipient who does not get the new key.", valueName: "recipient"))
    var leaveOut: [String] = []

    package init() {}

    package var request: [String: OutputValue] { ["LeaveOut": .list(leaveOut.map { .string($0) })] }
    package var otherSources: [MasterKeySource] { others.sources }
    package func action(_ session: Session) -> KeyRequest.Action { .rotate(leavingOut: leaveOut) }
}
