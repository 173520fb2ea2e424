package import ArgumentParser

/// The command tree of `pgmoneta-admin`.
package struct AdministrationProgram: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "pgmoneta-admin", abstract: "Set up keys, users and servers.",
        discussion: "Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 4 may succeed later, "
            + "5 done on some targets only.",
        subcommands: [MasterKeyCommand.self, KeyCommands.self, UserCommands.self, InitCommand.self],
        helpNames: [.customShort("?"), .long])

    @OptionGroup var options: AdministrationOptions

    package init() {}
}
