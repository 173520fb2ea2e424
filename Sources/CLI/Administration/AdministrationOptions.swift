import ArgumentParser
import BackupAPI
import BackupEngine

/// The options that every command of `pgmoneta-admin` has, before or behind its name.
package struct AdministrationOptions: ParsableArguments, Sendable {
    /// Those of `pgmoneta-cli`, too.
    @OptionGroup var common: CommonOptions

    @Option(name: [.short, .long], help: ArgumentHelp("The master key file or users file.", valueName: "file"))
    var file: String?

    @Option(name: [.customShort("U"), .long], help: ArgumentHelp("The user's name.", valueName: "name"))
    var user: String?

    @Option(
        name: .long,
        help: ArgumentHelp("Read the password from the first line of a file; '-' is standard input.", valueName: "file")
    )
    var passwordFile: String?

    package init() {}

    /// The users file: the option's, or the one beside the configuration.
    func usersStore(_ session: Session) -> UsersStore {
        let configuration = common.configurationPath(session.environment)
        return UsersStore(
            path: file ?? Configuration.usersPath(besideConfiguration: configuration),
            cryptography: session.kit.cryptography
        ) { [common] in
            guard case .file(let path) = try common.secret.source() else {
                throw UsageError("passwords are sealed with a master key file", remedy: "Name it with --master-key.")
            }
            return try session.masterKeyFile(path)
        }
    }
}

/// A command of `pgmoneta-admin`.
package protocol AdministrationCommand: SessionCommand {
    /// The options.
    var options: AdministrationOptions { get }
}

extension AdministrationCommand {
    package var format: OutputFormat { options.common.format }
    package var isVerbose: Bool { options.common.verbose }
}
