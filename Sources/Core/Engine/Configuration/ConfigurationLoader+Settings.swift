import BackupAPI
import Logging

extension ConfigurationLoader {
    /// Resolves `[pgmoneta]`.
    mutating func globalSettings(_ lookup: SettingLookup) -> GlobalSettings {
        let levelName = lookup.text(.logLevel)
        let log = LogSettings(
            destination: lookup.text(.logType).flatMap(LogSettings.Destination.init(rawValue:)) ?? .console,
            level: ConfigurationSchema.logLevels.first { $0.name == levelName }?.level ?? .info,
            path: lookup.text(.logPath), linePrefix: lookup.text(.logLinePrefix) ?? "")
        if log.destination == .file, log.path == nil, let line = lookup.located(.logType)?.line {
            fault(.missing, line, "log_type = file needs 'log_path'", "Set log_path in [pgmoneta].")
        }
        for key in [Key.baseDirectory, .workspace, .unixSocketDirectory, .spool] { requireAbsolute(key, lookup) }
        return GlobalSettings(
            host: lookup.text(.host) ?? "", unixSocketDirectory: lookup.text(.unixSocketDirectory),
            metricsPort: lookup.integer(.metrics) ?? 0, managementPort: lookup.integer(.management) ?? 0, log: log,
            pidFile: lookup.text(.pidfile), baseDirectory: lookup.text(.baseDirectory),
            workspace: lookup.text(.workspace) ?? "",
            verificationIntervalInSeconds: lookup.integer(.verification) ?? 0,
            verificationBytesPerSecond: lookup.integer(.verificationMaximumRate) ?? 0,
            retentionIntervalInSeconds: lookup.integer(.retentionInterval) ?? 0,
            spool: lookup.text(.spool).flatMap { $0.hasPrefix("/") ? $0 : nil },
            spoolByteLimit: lookup.integer(.spoolLimit) ?? 0, workers: lookup.integer(.workers) ?? 0,
            compression: compression(lookup), encryption: lookup.encryption(.encryption))
    }

    /// Resolves a server section; nothing when it lacks what it needs.
    mutating func serverSettings(
        _ section: ParsedSection, _ lookup: SettingLookup, targets: inout [TargetDefinition], engineNames: [String]
    ) -> [ServerSettings] {
        let host = required(.host, section, lookup)
        let user = required(.user, section, lookup)
        let names = targetNames(section, lookup, targets: &targets, engineNames: engineNames)
        let compression = compression(lookup)
        guard let host, let user else { return [] }
        let connection = ConnectionSettings(
            host: host, port: lookup.integer(.port) ?? 5432, user: user,
            databaseName: lookup.text(.dbname) ?? "postgres", sslMode: lookup.text(.sslmode),
            certificateFile: lookup.text(.certificateFile), keyFile: lookup.text(.keyFile),
            authorityFile: lookup.text(.authorityFile))
        return [
            ServerSettings(
                name: section.name, connection: connection, compression: compression,
                encryption: lookup.encryption(.encryption), workers: lookup.integer(.workers) ?? 0,
                maximumBytesPerSecond: lookup.integer(.maximumRate) ?? 0,
                manifest: lookup.text(.manifest).flatMap(ManifestAlgorithm.init(rawValue:)) ?? .crc32c,
                retention: lookup.retention(.retention) ?? RetentionPolicy(days: 7),
                walSlot: lookup.text(.walSlot), createsSlot: lookup.boolean(.createSlot) ?? false,
                hotStandbys: hotStandbys(section.name, lookup), targetNames: names)
        ]
    }

    /// The copies that are kept of a server, each with the mappings of its place in the list.
    private mutating func hotStandbys(_ server: String, _ lookup: SettingLookup) -> [HotStandby] {
        requireAbsolute(.hotStandby, lookup)
        let directories = lookup.list(.hotStandby) ?? []
        var lists: [[String: String]] = []
        if let located = lookup.located(.hotStandbyTablespaces), case .text(let text) = located.value {
            for part in text.split(separator: "|", omittingEmptySubsequences: false) {
                guard let mappings = Self.tablespaces(part) else {
                    fault(
                        .invalidValue, located.line, "hot_standby_tablespaces: '\(part)' is not a list of mappings",
                        "Write /old -> /new, /old2 -> /new2; for several directories with '|' between the lists.")
                    return []
                }
                lists.append(mappings)
            }
            if lists.count != directories.count {
                fault(
                    .invalidValue, located.line,
                    "hot_standby_tablespaces has \(lists.count) lists for \(directories.count) directories",
                    "Write one list for each directory of hot_standby, with '|' between them.")
            }
        }
        return zip(directories, lists + Array(repeating: [:], count: max(0, directories.count - lists.count))).map {
            HotStandby(dataDirectory: "\($0)/\(server)", tablespaces: $1)
        }
    }

    /// `/old -> /new, …`; empty text is no mapping.
    private static func tablespaces(_ text: Substring) -> [String: String]? {
        var mappings: [String: String] = [:]
        guard !text.trimmedOfBlanks.isEmpty else { return mappings }
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let arrow = part.firstRange(of: "->") else { return nil }
            let old = String(part[..<arrow.lowerBound].trimmedOfBlanks)
            let new = String(part[arrow.upperBound...].trimmedOfBlanks)
            guard old.hasPrefix("/"), new.hasPrefix("/"), mappings.updateValue(new, forKey: old) == nil else {
                return nil
            }
        }
        return mappings
    }

    private mutating func required(_ key: Key, _ section: ParsedSection, _ lookup: SettingLookup) -> String? {
        if let value = section.values[key] { return value.text }
        guard !section.faultyKeys.contains(key) else { return nil }
        let hint = key == .host ? NearestName.hint(section.name, among: ["pgmoneta"]) : ""
        fault(
            .missing, section.line, "server [\(section.name)] has no '\(key.rawValue)'",
            "\(hint)Set \(key.rawValue) in [\(section.name)].")
        return nil
    }

    private mutating func compression(_ lookup: SettingLookup) -> CompressionSettings {
        guard var settings = lookup.compression(.compression) else {
            if lookup.server == nil, lookup.located(.compression) == nil,
                !lookup.global.faultyKeys.contains(.compression)
            {
                fault(
                    .unsupported, lookup.global.line, "compression 'zstd', the default, is not in this program",
                    "Set compression in [pgmoneta]. Allowed: \(parser.allowed(.compression)).")
            }
            return CompressionSettings(codec: nil)
        }
        guard let codec = settings.codec, let located = lookup.located(.compressionLevel),
            case .integer(let level) = located.value
        else { return settings }
        guard let allowed = parser.codecs.factory(named: codec)?.levels?.allowed else {
            return settings
        }
        guard allowed.contains(level) else {
            let range = "\(allowed.lowerBound) to \(allowed.upperBound)"
            // A server that only takes over both values does not repeat the fault of [pgmoneta].
            let own = lookup.server?.values[.compressionLevel] ?? lookup.server?.values[.compression]
            if lookup.server == nil || own != nil {
                fault(
                    .invalidValue, own?.line ?? located.line, "compression_level: \(level) is not a level of \(codec)",
                    "Allowed for \(codec): \(range).")
            }
            return settings
        }
        settings.level = level
        return settings
    }

    private mutating func requireAbsolute(_ key: Key, _ lookup: SettingLookup) {
        guard let located = lookup.located(key) else { return }
        let paths =
            switch located.value {
            case .text(let path): [path]
            case .list(let paths): paths
            default: [String]()
            }
        for path in paths where !path.hasPrefix("/") {
            fault(
                .invalidValue, located.line, "\(key.rawValue): '\(path)' is not an absolute path",
                "Write a path that begins with '/'.")
        }
    }
}
