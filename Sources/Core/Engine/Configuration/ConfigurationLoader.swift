package import BackupAPI

extension Configuration {
    /// Reads the text of a configuration file and reports all of its faults at once.
    /// - Parameters:
    ///   - fileName: the file as the user named it, for messages.
    ///   - backends: give the URL schemes and their settings.
    ///   - codecs: give the names of compressions and encryptions.
    ///   - environment: the program's environment, for variables in paths and for backends.
    /// - Throws: every fault, in the order of the file.
    package static func load(
        text: String, fileName: String, backends: BackendRegistry, codecs: CodecRegistry, environment: [String: String]
    ) throws(ConfigurationError) -> Configuration {
        var loader = ConfigurationLoader(
            fileName: fileName, backends: backends, environment: environment,
            parser: SettingParser(codecs: codecs, environment: environment))
        let configuration = loader.load(text)
        let faults = loader.faults.sorted { $0.place.line < $1.place.line }
        if let first = faults.first { throw ConfigurationError(first, Array(faults.dropFirst())) }
        return configuration
    }
}

/// Builds a `Configuration` and collects faults on the way. What it builds counts only when there are none.
struct ConfigurationLoader {
    typealias Key = ConfigurationSchema.Key

    let fileName: String
    let backends: BackendRegistry
    let environment: [String: String]
    let parser: SettingParser
    var faults: [ConfigurationFault] = []
    var warnings: [Configuration.Warning] = []
    var shown: [Configuration.Shown] = []

    mutating func load(_ text: String) -> Configuration {
        let (document, syntaxFaults) = INIParser.parse(text, fileName: fileName)
        faults += syntaxFaults
        var global = ParsedSection(name: "pgmoneta", line: 0, scope: .global)
        var servers: [ParsedSection] = []
        var targetSections: [INIDocument.Section] = []
        for section in document.sections {
            switch kind(of: section) {
            case .global?: global = parse(section, as: .global)
            case .server?: servers.append(parse(section, as: .server))
            case .target?: targetSections.append(section)
            case nil: break
            }
        }
        if global.line == 0 {
            fault(
                .missing, 0, "there is no section [pgmoneta]",
                "Add [pgmoneta] with base_dir, or see 'pgmoneta-admin init'.")
        }
        let standards = standardValues()
        let lookup = SettingLookup(server: nil, global: global, standards: standards)
        show(global)
        var targets = engineTargets(lookup)
        let engineNames = targets.map(\.name)
        targets += definedTargets(targetSections, taken: engineNames)
        let settings = globalSettings(lookup)
        var result: [ServerSettings] = []
        for server in servers {
            let own = SettingLookup(server: server, global: global, standards: standards)
            show(server)
            result += serverSettings(server, own, targets: &targets, engineNames: engineNames)
        }
        let namesTargets = !targetSections.isEmpty || lookup.located(.storageEngine) != nil
        if global.line > 0, !namesTargets, lookup.located(.baseDirectory) == nil,
            !global.faultyKeys.contains(.baseDirectory)
        {
            fault(
                .missing, global.line, "no target is defined",
                "Set base_dir in [pgmoneta], or add a section [target:NAME] with a url.")
        }
        return Configuration(
            fileName: fileName, global: settings, servers: result, targets: targets,
            warnings: warnings.sorted { $0.place.line < $1.place.line }, shown: shown)
    }

    /// Notes a fault.
    mutating func fault(_ kind: ConfigurationFault.Kind, _ line: Int, _ problem: String, _ remedy: String) {
        faults.append(
            ConfigurationFault(kind, at: SourcePlace(file: fileName, line: line), problem: problem, remedy: remedy))
    }

    /// Notes a warning about a key.
    mutating func warn(_ line: Int, _ key: String, _ words: String, isReliedOn: Bool) {
        warnings.append(
            .init(
                place: SourcePlace(file: fileName, line: line), key: key, text: "'\(key)' \(words)",
                isReliedOn: isReliedOn))
    }

    private func standardValues() -> [Key: SettingValue] {
        var values: [Key: SettingValue] = [:]
        for row in ConfigurationSchema.rows {
            guard let key = row.key, let text = row.standard else { continue }
            values[key] = try? parser.parse(text, as: row.kind)
        }
        return values
    }
}
