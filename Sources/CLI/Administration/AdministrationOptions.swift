import ArgumentParser
import BackupAPI
import BackupEngine

/// The options that every command of `pgmoneta-admin` has, before or behind its name.
package struct AdministrationOptions: ParsableArguments, Sendable {
    @Option(name: [.short, .long], help: ArgumentHelp("The configuration file.", valueName: "file"))
    var config: String?

    @Option(name: [.short, .long], help: ArgumentHelp("The master key file or users file.", valueName: "file"))
    var file: String?

    @Option(
        name: .long,
        help: ArgumentHelp("The master key file that seals passwords.", valueName: "file"))
    var masterKey: String?

    @Option(name: [.customShort("U"), .long], help: ArgumentHelp("The user's name.", valueName: "name"))
    var user: String?

    @Option(
        name: .long,
        help: ArgumentHelp("Read the password from the first line of a file; '-' is standard input.", valueName: "file")
    )
    var passwordFile: String?

    @Option(name: [.customShort("F"), .long], help: "How the reply is written.")
    var format: OutputFormat = .text

    @Flag(name: [.short, .long], help: "Log what is done to standard error.")
    var verbose = false

    @Flag(name: [.customShort("V"), .long], help: "Show the version.")
    var version = false

    package init() {}

    /// The users file: the option's, or the one beside the configuration.
    func usersStore(_ session: Session) -> UsersStore {
        let configuration = config ?? Configuration.standardPath(environment: session.environment)
        let cryptography = session.kit.cryptography
        return UsersStore(
            path: file ?? Configuration.usersPath(besideConfiguration: configuration), cryptography: cryptography
        ) { [masterKey] in
            MasterKeyFile(
                path: try masterKey ?? MasterKeyFile.standardPath(session.environment), cryptography: cryptography)
        }
    }
}

/// A command of `pgmoneta-admin`.
package protocol AdministrationCommand: SessionCommand {
    /// The options.
    var options: AdministrationOptions { get }
}

extension AdministrationCommand {
    package var format: OutputFormat { options.format }
    package var isVerbose: Bool { options.verbose }
}
