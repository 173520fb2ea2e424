package import ArgumentParser

/// `init`.
package struct InitCommand: AdministrationCommand {
    /// What is printed.
    enum Part: String, ExpressibleByArgument, CaseIterable {
        case all, configuration, sql, hba
    }

    package static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Print a starter configuration, and the SQL that grants exactly what is needed.")
    package static let name = CommandName.initialize

    @OptionGroup package var options: AdministrationOptions

    @Option(help: "Print one part alone.")
    var part: Part = .all

    @Option(
        name: [.customLong("postgresql"), .customShort("p")],
        help: ArgumentHelp("PostgreSQL's major version, 14 to 18.", valueName: "version"))
    var postgresql = 17

    @Option(help: ArgumentHelp("The server's name in the configuration.", valueName: "name"))
    var server = "primary"

    @Option(help: ArgumentHelp("The server's host.", valueName: "host"))
    var host = "localhost"

    @Option(help: ArgumentHelp("The address pgmoneta connects from, for pg_hba.conf.", valueName: "address"))
    var clientAddress = "127.0.0.1/32"

    @Option(help: ArgumentHelp("The directory for backups.", valueName: "path"))
    var baseDir = "/var/lib/pgmoneta"

    @Option(help: ArgumentHelp("Also make a physical replication slot.", valueName: "name"))
    var slot: String?

    package init() {}

    package var request: [String: OutputValue] { [:] }

    package func answer(_ session: Session) async throws -> CommandAnswer {
        guard (14...18).contains(postgresql) else {
            throw UsageError("PostgreSQL \(postgresql) is not supported", remedy: "Use a version from 14 to 18.")
        }
        let role = options.user ?? "repl"
        try UsersStore.check(role)
        let setup = ServerSetup(
            postgresMajorVersion: postgresql, role: role, server: server, host: host, clientAddress: clientAddress,
            baseDirectory: baseDir, slot: slot)
        return switch part {
        case .all: .document(setup.configuration + "\n" + setup.hba + "\n" + setup.sql)
        case .configuration: .document(setup.configuration)
        case .hba: .document(setup.hba)
        case .sql: .document(setup.sql)
        }
    }
}
