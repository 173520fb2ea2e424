import BackupAPI
package import BackupEngine
import Glibc
import Logging

/// What a command works with: the kit, the world around the program, and the engine's services.
package struct Session: Sendable {
    /// Makes the services of the engine for a configuration.
    package typealias ServiceMaker =
        @Sendable (Session, Configuration, ServiceOptions) async throws -> any BackupService

    /// The program's name, for messages.
    package var program: String
    /// Backends, codecs, cryptography.
    package var kit: Kit
    /// The program's environment.
    package var environment: [String: String]
    /// Its clocks.
    package var clock: CommandClock
    /// Where it writes.
    package var console: Console
    /// Makes the engine's services.
    package var makeService: ServiceMaker?
    /// Starts the program once more with the same arguments and a file to inherit; nil where that is not possible.
    package var startCompanion: (@Sendable (Int32) throws -> Void)?

    /// Makes a session.
    package init(
        program: String, kit: Kit, environment: [String: String], clock: CommandClock, console: Console,
        makeService: ServiceMaker? = nil, startCompanion: (@Sendable (Int32) throws -> Void)? = nil
    ) {
        self.program = program
        self.kit = kit
        self.environment = environment
        self.clock = clock
        self.console = console
        self.makeService = makeService
        self.startCompanion = startCompanion
    }
}

extension Session {
    /// Reads and checks the configuration that the options name, and warns about settings that do not do what they say.
    package func configuration(_ options: CommonOptions) throws -> Configuration {
        let configuration = try checkedConfiguration(options)
        for warning in configuration.warnings {
            Logger.current.info("a setting has no effect", metadata: [LogKeys.place: "\(warning.summary)"])
        }
        let missed = configuration.warnings.filter(\.isReliedOn).map(\.key)
        guard !missed.isEmpty else { return configuration }
        let names = missed.enumerated().filter { !missed[..<$0].contains($1) }.map(\.element)
        Logger.current.warning(
            "settings have no effect; 'conf check' says why",
            metadata: [
                LogKeys.configuration: "\(configuration.fileName)",
                LogKeys.settings: "\(names.joined(separator: ", "))",
            ])
        return configuration
    }

    /// Reads and checks the configuration that the options name; its warnings are the caller's to tell.
    package func checkedConfiguration(_ options: CommonOptions) throws -> Configuration {
        try checkedConfiguration(path: options.configurationPath(environment))
    }

    /// Reads and checks a configuration.
    /// - Parameter path: nil is the standard one.
    package func checkedConfiguration(path: String?) throws -> Configuration {
        let path = path ?? Configuration.standardPath(environment: environment)
        return try checkedConfiguration(text: ConfigurationFile.text(path), path: path)
    }

    /// Checks the text of a configuration.
    func checkedConfiguration(text: String, path: String) throws -> Configuration {
        try Configuration.load(
            text: text, fileName: path, backends: kit.backends, codecs: kit.codecs, environment: environment)
    }

    /// The master key file.
    /// - Parameter path: the one that the user named; nil is the standard one.
    package func masterKeyFile(_ path: String?) throws -> MasterKeyFile {
        MasterKeyFile(path: try path ?? MasterKeyFile.standardPath(environment), cryptography: kit.cryptography)
    }

    /// Where received WAL waits when the configuration does not say it.
    package func standardSpool() throws(CommandError) -> String {
        guard let home = environment["HOME"], home.hasPrefix("/") else {
            throw CommandError(
                .fileFailed, "there is no place for WAL: the home directory is not known",
                remedy: "Set HOME, or 'spool' in [pgmoneta].")
        }
        return home + "/.pgmoneta/spool"
    }

    /// How many processors the machine has.
    static var processorCount: Int { sysconf(Int32(_SC_NPROCESSORS_ONLN)) }

    /// The settings of a server.
    package func server(_ name: String, in configuration: Configuration) throws(CommandError) -> ServerSettings {
        if let server = configuration.server(named: name) { return server }
        let names = configuration.servers.map(\.name)
        throw CommandError(
            .unknownServer, "there is no server '\(name)' in \(configuration.fileName)",
            remedy: NearestName.hint(name, among: names)
                + (names.isEmpty
                    ? "Add a section [\(name)] with host and user." : "Configured: \(names.joined(separator: ", "))."))
    }

    /// The targets that the options name, else those of the server, else all.
    package func targets(
        _ options: CommonOptions, of server: ServerSettings?, in configuration: Configuration
    ) throws -> [TargetDefinition] {
        guard !options.targets.isEmpty else {
            return server.map { configuration.targets(of: $0) } ?? configuration.targets
        }
        return try options.targets.map { try target($0, in: configuration) }
    }

    /// A target by its name, its URL or its absolute path.
    package func target(_ text: String, in configuration: Configuration) throws -> TargetDefinition {
        if let target = configuration.target(named: text) { return target }
        guard text.hasPrefix("/") || text.contains("://") else {
            let names = configuration.targets.map(\.name)
            throw UsageError(
                "there is no target '\(TargetArgument.shown(text))'",
                remedy: NearestName.hint(text, among: names)
                    + "Configured: \(names.joined(separator: ", ")); or give a URL.")
        }
        let location = try TargetLocation(text)
        if let known = configuration.targets.first(where: { $0.location == location }) { return known }
        guard kit.backends.factory(scheme: location.scheme) != nil else {
            let schemes = kit.backends.factories.map(\.scheme).joined(separator: ", ")
            throw UsageError("there is no backend for '\(location.scheme)://'", remedy: "Known: \(schemes).")
        }
        return TargetDefinition(
            name: location.description, settings: TargetSettings(location: location, environment: environment))
    }
}
