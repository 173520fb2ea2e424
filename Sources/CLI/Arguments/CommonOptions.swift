import ArgumentParser
import BackupEngine

extension OutputFormat: ExpressibleByArgument {}

/// The options that every command of `pgmoneta-cli` has, before or behind its name.
package struct CommonOptions: ParsableArguments, Sendable {
    @Option(name: [.short, .long], help: ArgumentHelp("The configuration file.", valueName: "file"))
    var config: String?

    @Option(name: [.customShort("F"), .long], help: "How the reply is written.")
    var format: OutputFormat = .text

    @Option(
        name: .long,
        help: ArgumentHelp("Targets by name or URL, instead of the configured ones.", valueName: "name|url[,…]"))
    var target: String?

    @OptionGroup var secret: SecretOptions

    @Flag(name: [.short, .long], help: "Log what is done to standard error.")
    var verbose = false

    @Flag(name: .long, help: "Show no progress on a terminal.")
    var noProgress = false

    @Flag(name: [.customShort("V"), .long], help: "Show the version.")
    var version = false

    package init() {}

    /// What `--target` names, in order.
    package var targets: [String] {
        target.map { $0.split(separator: ",").map { String($0.trimmedOfBlanks) } } ?? []
    }

    /// The configuration file: the option's, or the standard one.
    package func configurationPath(_ environment: [String: String]) -> String {
        config ?? Configuration.standardPath(environment: environment)
    }
}

/// A command with the options of `pgmoneta-cli`.
package protocol UserCommand: SessionCommand {
    /// The options.
    var options: CommonOptions { get }
}

extension UserCommand {
    package var format: OutputFormat { options.format }
    package var isVerbose: Bool { options.verbose }
}
