package import ArgumentParser
import BackupAPI
import BackupEngine

/// `target ls|check`.
package struct TargetCommands: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "target", abstract: "Show the targets, or try one.",
        subcommands: [TargetListCommand.self, TargetCheckCommand.self])

    @OptionGroup var options: CommonOptions

    package init() {}
}

/// `target ls`.
package struct TargetListCommand: UserCommand {
    package static let configuration = CommandConfiguration(commandName: "ls", abstract: "List the configured targets.")
    package static let name = CommandName.targetList

    @OptionGroup package var options: CommonOptions

    package init() {}

    package var request: [String: OutputValue] { [:] }

    package func answer(_ session: Session) async throws -> CommandAnswer {
        let configuration = try session.configuration(options)
        let targets = configuration.targets.map { target in
            let servers = configuration.servers.filter { $0.targetNames.contains(target.name) }
            return OutputValue.object([
                "Servers": .list(servers.map { .string($0.name) }), "Target": .string(target.name),
                "URL": .string(target.location.description),
            ])
        }
        return .response(["ServerVersion": .string(ProgramVersion.text), "Targets": .list(targets)])
    }
}

/// `target check <target>`.
package struct TargetCheckCommand: UserCommand {
    package static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Try a target: its laws, its latency, its throughput.")
    package static let name = CommandName.targetCheck

    @OptionGroup package var options: CommonOptions

    @Argument(help: "The target's name in the configuration, or a URL.")
    var checked: String

    package init() {}

    package var request: [String: OutputValue] { ["Target": .string(TargetArgument.shown(checked))] }

    package func answer(_ session: Session) async throws -> CommandAnswer {
        let configuration = try session.configuration(options)
        let target = try session.target(checked, in: configuration)
        let service = try await session.service(configuration, options)
        let answer = try await session.withProgress("target check \(target.name)", isShown: !options.noProgress) {
            try await service.checkTarget(TargetCheckRequest(target: target), progress: $0)
        }
        let response = BackupReplies(codecs: session.kit.codecs).targetCheck(answer)
        let broken = answer.checks.filter { $0.fault != nil }.map(\.law)
        guard !broken.isEmpty else { return .response(response) }
        let failure = CommandError(
            .targetBroken, "target '\(target.name)' does not keep \(broken.joined(separator: ", "))",
            remedy: "Do not keep backups there until the place behaves; 'Fault' says what was seen.")
        return .failure(response, failure, .failed)
    }
}
