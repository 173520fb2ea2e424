package import ArgumentParser

/// The command tree of `pgmoneta-cli`.
package struct UserProgram: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "pgmoneta-cli", abstract: "Backup and restore for PostgreSQL.",
        discussion: "Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 damage found, "
            + "4 may succeed later, 5 done on some targets only.",
        subcommands: ServiceWiring.commands + [
            EncryptCommand.self, DecryptCommand.self, CompressCommand.self, DecompressCommand.self,
            TargetCommands.self, ConfigurationCommands.self, StatusCommand.self, PingCommand.self, ModeCommand.self,
            ShutdownCommand.self,
        ],
        helpNames: [.customShort("?"), .long])

    @OptionGroup var options: CommonOptions

    package init() {}
}
