package import ArgumentParser
import BackupEngine

/// `conf check|ls|get|set|reload`.
package struct ConfigurationCommands: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "conf", abstract: "Check and show the configuration.",
        subcommands: [
            ConfigurationCheckCommand.self, ConfigurationListCommand.self, ConfigurationGetCommand.self,
            ConfigurationSetCommand.self, ConfigurationReloadCommand.self,
        ])

    @OptionGroup var options: CommonOptions

    package init() {}
}

/// `conf check`.
package struct ConfigurationCheckCommand: UserCommand {
    package static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Say everything that is wrong with the configuration, at once.")
    package static let name = CommandName.configurationCheck

    @OptionGroup package var options: CommonOptions

    package init() {}

    package var request: [String: OutputValue] { [:] }

    package func answer(_ session: Session) async throws -> CommandAnswer {
        var response: [String: OutputValue] = [
            "File": .string(options.configurationPath(session.environment)),
            "ServerVersion": .string(ProgramVersion.text),
        ]
        do {
            let configuration = try session.checkedConfiguration(options)
            for warning in configuration.warnings { session.console.errors("warning: \(warning.summary)\n") }
            response["Faults"] = .list([])
            response["Servers"] = .list(configuration.servers.map { .string($0.name) })
            response["Targets"] = .list(configuration.targets.map { .string($0.name) })
            response["Warnings"] = .list(
                configuration.warnings.map {
                    .object(["Line": .integer($0.place.line), "Problem": .string($0.text)])
                })
            return .response(response)
        } catch let error as ConfigurationError {
            response["Faults"] = .list(
                error.faults.map {
                    .object([
                        "Code": .string($0.code), "Line": .integer($0.place.line), "Problem": .string($0.problem),
                        "Remedy": .string($0.remedy),
                    ])
                })
            return .failure(response, error, .usage)
        }
    }
}

/// `conf ls`.
package struct ConfigurationListCommand: UserCommand {
    package static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "Show where the configuration files are.")
    package static let name = CommandName.configurationList

    @OptionGroup package var options: CommonOptions

    package init() {}

    package var request: [String: OutputValue] { [:] }

    package func answer(_ session: Session) async throws -> CommandAnswer {
        let path = options.configurationPath(session.environment)
        return .response([
            "ServerVersion": .string(ProgramVersion.text), "main_configuration_path": .string(path),
            "users_configuration_path": .string(Configuration.usersPath(besideConfiguration: path)),
        ])
    }
}

/// `conf get [key]`.
package struct ConfigurationGetCommand: UserCommand {
    package static let configuration = CommandConfiguration(
        commandName: "get", abstract: "Show the settings that count, or one of them.")
    package static let name = CommandName.configurationGet

    @OptionGroup package var options: CommonOptions

    @Argument(
        help: ArgumentHelp(
            "KEY or pgmoneta.KEY, server.NAME.KEY, or target.NAME.KEY; all without it.", valueName: "key"))
    var key: String?

    package init() {}

    package var request: [String: OutputValue] { key.map { ["ConfigKey": .string($0)] } ?? [:] }

    package func answer(_ session: Session) async throws -> CommandAnswer {
        let configuration = try session.configuration(options)
        let all = configuration.shown.map { (Self.keyName($0), $0.value) }
        var chosen = all
        if let key {
            chosen = all.filter { $0.0 == key || $0.0 == "pgmoneta.\(key)" }
            if chosen.isEmpty, let inherited = inherited(key, all, configuration) { chosen = [(key, inherited)] }
            guard !chosen.isEmpty else {
                let hint = NearestName.hint(key, among: all.map(\.0) + ConfigurationSchema.names(in: .global))
                throw CommandError(
                    .unknownSetting, "there is no setting '\(key)'",
                    remedy: "\(hint)'conf get' without a key shows all of them.")
            }
        }
        var response: [String: OutputValue] = ["ServerVersion": .string(ProgramVersion.text)]
        for (name, value) in chosen { response[name] = .string(value) }
        return .response(response)
    }

    /// `server.NAME.KEY` where the server leaves the key to `[pgmoneta]`.
    private func inherited(_ key: String, _ all: [(String, String)], _ configuration: Configuration) -> String? {
        for server in configuration.servers where key.hasPrefix("server.\(server.name).") {
            let name = String(key.dropFirst("server.\(server.name).".count))
            guard ConfigurationSchema.row(name, in: .server) != nil else { return nil }
            return all.first { $0.0 == "pgmoneta.\(name)" }?.1
        }
        return nil
    }

    private static func keyName(_ shown: Configuration.Shown) -> String {
        if shown.section == "pgmoneta" { return "pgmoneta.\(shown.key)" }
        if shown.section.hasPrefix("target:") { return "target.\(shown.section.dropFirst(7)).\(shown.key)" }
        return "server.\(shown.section).\(shown.key)"
    }
}
