import BackupAPI

extension ConfigurationLoader {
    /// Makes the targets `local`, `s3` and `ssh` that `storage_engine` asks for.
    mutating func engineTargets(_ lookup: SettingLookup) -> [TargetDefinition] {
        let located = lookup.located(.storageEngine)
        let engines = lookup.list(.storageEngine) ?? []
        let line = located?.line ?? lookup.global.line
        var targets: [TargetDefinition] = []
        for engine in engines {
            switch engine {
            case "local": targets += localTarget(lookup, line, isAskedFor: located != nil)
            case "s3": targets += s3Target(lookup, line, name: "s3")
            case "ssh": targets += sshTarget(lookup, line)
            case "azure":
                fault(
                    .unsupported, line, "storage_engine: there is no Azure backend",
                    "Use local, s3 or ssh, or a target of another kind.")
            default:
                fault(
                    .invalidValue, line, "storage_engine: '\(engine)' is not allowed",
                    "\(NearestName.hint(engine, among: ["local", "s3", "ssh"]))Allowed: local, s3, ssh.")
            }
        }
        if let base = lookup.located(.baseDirectory), !engines.contains("local") {
            warn(base.line, "base_dir", "has no effect: 'local' is not in storage_engine", isReliedOn: false)
        }
        return targets
    }

    /// Reads the `[target:NAME]` sections.
    mutating func definedTargets(_ sections: [INIDocument.Section], taken: [String]) -> [TargetDefinition] {
        var targets: [TargetDefinition] = []
        for section in sections {
            let name = String(section.name.dropFirst("target:".count))
            if taken.contains(name) {
                fault(
                    .duplicate, section.line, "target '\(name)' is already made by storage_engine",
                    "Choose another name, or leave '\(name)' out of storage_engine.")
            }
            targets += definedTarget(name, section)
        }
        return targets
    }

    private mutating func definedTarget(_ name: String, _ section: INIDocument.Section) -> [TargetDefinition] {
        guard let url = section.entries.first(where: { $0.key == "url" }) else {
            fault(
                .missing, section.line, "target '\(name)' has no 'url'",
                "Set url to file:///path, s3://bucket/prefix or sftp://user@host:port/path.")
            return []
        }
        guard let (location, factory) = location(url.value, url.line) else { return [] }
        var values: [String: Secret] = [:]
        shown.append(.init(section: section.name, key: "url", value: location.description, isSet: true))
        for entry in section.entries where entry.key != "url" {
            guard let setting = factory.settings.first(where: { $0.name == entry.key }) else {
                let names = ["url"] + factory.settings.map(\.name)
                fault(
                    .unknownKey, entry.line, "\(factory.scheme) target '\(name)' has no key '\(entry.key)'",
                    "\(NearestName.hint(entry.key, among: names))Allowed: \(names.joined(separator: ", ")).")
                continue
            }
            guard let value = expanded(entry) else { continue }
            values[entry.key] = Secret(value)
            let visible = setting.isSecret ? "***" : value
            shown.append(.init(section: section.name, key: entry.key, value: visible, isSet: true))
        }
        let settings = TargetSettings(location: location, values: values, environment: environment)
        return [TargetDefinition(name: name, settings: settings, line: section.line)]
    }

    /// Replaces variables in settings that name a file.
    private mutating func expanded(_ entry: INIDocument.Entry) -> String? {
        do throws(SettingParser.Fault) {
            guard case .text(let text) = try parser.parse(entry.value, as: entry.key.hasSuffix("_file") ? .path : .text)
            else { return nil }
            return text
        } catch {
            fault(.invalidValue, entry.line, "\(entry.key): \(error.problem)", error.remedy)
            return nil
        }
    }

    /// Reads a URL and finds its backend.
    mutating func location(_ url: String, _ line: Int) -> (TargetLocation, BackendFactory)? {
        let location: TargetLocation
        do throws(StorageError) {
            location = try TargetLocation(url)
        } catch {
            fault(.invalidValue, line, "the target's location: \(error.detail ?? error.summary)", error.remedy)
            return nil
        }
        guard let factory = backends.factory(scheme: location.scheme) else {
            let schemes = backends.factories.map(\.scheme)
            fault(
                .unsupported, line, "no backend for '\(location.scheme)://' is in this program",
                NearestName.hint(location.scheme, among: schemes) + "Allowed: \(schemes.joined(separator: ", ")).")
            return nil
        }
        return (location, factory)
    }

    /// The targets a server uses: its `target` key, else those of `storage_engine`, else all of `[target:NAME]`.
    mutating func targetNames(
        _ section: ParsedSection, _ lookup: SettingLookup, targets: inout [TargetDefinition], engineNames: [String]
    ) -> [String] {
        var own: String?
        if section.values.keys.contains(where: { $0.rawValue.hasPrefix("s3_") }), engineNames.contains("s3") {
            let made = s3Target(lookup, section.line, name: "s3-\(section.name)")
            own = made.first?.name
            targets += made
        }
        guard let located = lookup.located(.target), case .list(let names) = located.value else {
            let names = engineNames.isEmpty ? targets.map(\.name) : engineNames
            return names.map { $0 == "s3" ? own ?? $0 : $0 }
        }
        for name in names where !targets.contains(where: { $0.name == name }) {
            let known = targets.map(\.name)
            let isRepeated = section.values[.target] == nil && faults.contains { $0.place.line == located.line }
            guard !isRepeated else { continue }
            fault(
                .unknownName, located.line, "target: there is no target '\(name)'",
                "\(NearestName.hint(name, among: known))Defined: \(known.joined(separator: ", ")).")
        }
        return names.map { $0 == "s3" ? own ?? $0 : $0 }
    }
}
