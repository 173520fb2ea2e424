/// Everything that `pgmoneta.conf` says, checked and resolved.
package struct Configuration: Sendable {
    /// What is accepted but has no effect, or only another one.
    package struct Warning: Sendable, Hashable {
        /// Where it is.
        package let place: SourcePlace
        /// The key.
        package let key: String
        /// One line without a full stop.
        package let text: String
        /// Whether who wrote it relies on what does not happen.
        package let isReliedOn: Bool

        /// `file:line: text`.
        package var summary: String { "\(place.file):\(place.line): \(text)" }
    }

    /// One setting with the value that counts, as `conf get` shows it; a secret is shown as `***`.
    package struct Shown: Sendable, Hashable {
        /// `pgmoneta`, a server's name, or `target:NAME`.
        package let section: String
        /// The key.
        package let key: String
        /// As written, or the default; empty when there is neither.
        package let value: String
        /// Whether the file sets it.
        package let isSet: Bool
    }

    /// The file as the user named it.
    package let fileName: String
    /// `[pgmoneta]`.
    package let global: GlobalSettings
    /// In file order.
    package let servers: [ServerSettings]
    /// `local`, `s3`, `ssh` where defined, then `[target:NAME]` in file order.
    package let targets: [TargetDefinition]
    /// In file order.
    package let warnings: [Warning]
    /// Every setting with the value that counts.
    package let shown: [Shown]
}

extension Configuration {
    /// The name of the configuration file in its directory.
    package static let standardFileName = "pgmoneta.conf"
    /// The name of the file with the users' sealed passwords, beside the configuration.
    package static let usersFileName = "pgmoneta_users.conf"
    /// The directory when `PGMONETA_CONFIG_DIR` does not name another one.
    package static let standardDirectory = "/etc/pgmoneta"

    /// Where the configuration is when no option names it.
    package static func standardPath(environment: [String: String]) -> String {
        let directory = environment["PGMONETA_CONFIG_DIR"].flatMap { $0.isEmpty ? nil : $0 } ?? standardDirectory
        return directory.hasSuffix("/") ? directory + standardFileName : "\(directory)/\(standardFileName)"
    }

    /// The users file that belongs to a configuration file.
    package static func usersPath(besideConfiguration path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return usersFileName }
        return String(path[...slash]) + usersFileName
    }

    /// The server of that name.
    package func server(named name: String) -> ServerSettings? { servers.first { $0.name == name } }

    /// The target of that name.
    package func target(named name: String) -> TargetDefinition? { targets.first { $0.name == name } }

    /// The targets of a server, in its order.
    package func targets(of server: ServerSettings) -> [TargetDefinition] {
        server.targetNames.compactMap { target(named: $0) }
    }
}
