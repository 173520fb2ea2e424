package import ArgumentParser

/// `verify <server> <identifier> [directory] [failed|all]`.
package struct VerifyCommand: ServiceCommand {
    package static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Read a backup back and compare every checksum.",
        usage: "pgmoneta-cli verify [<options>] <server> <identifier> [directory] [failed|all]",
        discussion: """
            With all backups that it builds on. Nothing is extracted. Damage gives exit code 3. A directory gets a report file.
            """)
    package static let name = CommandName.verify

    @OptionGroup package var options: CommonOptions

    @Flag(help: "Compare every stored byte with its SHA-512 alone, and decode nothing: no look at files and pages.")
    var quick = false

    @Flag(help: "Leave out the backups that an incremental one builds on.")
    var thisOnly = false

    @Argument(help: "The server's name in the configuration.")
    package var server: String

    @Argument(help: "The backup: oldest, newest, latest, a label or its beginning.")
    var identifier: String

    @Argument(
        help: ArgumentHelp("A directory for the report, and which files to list.", valueName: "directory|failed|all"))
    var rest: [String] = []

    package init() {}

    package var request: [String: OutputValue] {
        var fields: [String: OutputValue] = ["Server": .string(server), "Backup": .string(identifier)]
        if let (directory, detail) = try? parsedRest() {
            fields["Directory"] = directory.map { .string($0) }
            fields["Files"] = .string(detail.rawValue)
        }
        return fields
    }

    /// The directory and which files are listed: `failed` where it is not said.
    package func parsedRest() throws(UsageError) -> (directory: String?, detail: VerifyRequest.Detail) {
        let last = rest.last.flatMap(VerifyRequest.Detail.init(rawValue:))
        let others = last == nil ? rest : rest.dropLast()
        guard others.count <= 1 else {
            throw UsageError(
                "'\(others[1])' is too much", remedy: "Write verify <server> <identifier> [directory] [failed|all].")
        }
        return (others.first, last ?? .failed)
    }

    package func answer(_ session: Session) async throws -> CommandAnswer {
        let identifier = try BackupIdentifier(identifier)
        let (directory, detail) = try parsedRest()
        let context = try await ServiceContext(self, session)
        let request = VerifyRequest(
            server: context.server, targets: context.targets, identifier: identifier, isThisOnly: thisOnly,
            directory: directory, detail: detail, isQuick: quick)
        let answer = try await context.withProgress("verify \(server)") {
            try await context.service.verify(request, progress: $0)
        }
        let response = context.replies.verify(answer)
        guard !answer.failed.isEmpty else { return .response(response, lookedAt: answer.targets) }
        let count = answer.failed.count
        let damage = CommandError(
            .verificationDamage, "\(count) of \(answer.checkedFileCount) files of backup \(answer.label) are damaged",
            remedy: "Restore from another backup or target, and take a new backup.")
        return .failure(response, damage, .damage)
    }
}
