extension ConfigurationLoader {
    /// The kinds of section.
    enum SectionKind { case global, server, target }

    /// Names that a server or target cannot have, with the reason.
    private static let reservedNames: [String: String] = [
        "all": "it is reserved", "keys": "a repository keeps its keys under this name",
        "repository.json": "a repository keeps its description under this name",
    ]

    /// Says what a section is, or notes a fault.
    mutating func kind(of section: INIDocument.Section) -> SectionKind? {
        if section.name == "pgmoneta" { return .global }
        if let colon = section.name.firstIndex(of: ":") {
            let prefix = String(section.name[..<colon])
            guard prefix == "target" else {
                let hint = NearestName.hint(prefix, among: ["target"])
                fault(
                    .unknownSection, section.line, "[\(section.name)] is not a kind of section",
                    "\(hint)Allowed: [pgmoneta], [target:NAME], and one section per server with its name.")
                return nil
            }
            return checkName(String(section.name[section.name.index(after: colon)...]), section) ? .target : nil
        }
        return checkName(section.name, section) ? .server : nil
    }

    private mutating func checkName(_ name: String, _ section: INIDocument.Section) -> Bool {
        if let reason = Self.reservedNames[name] {
            fault(
                .invalidValue, section.line, "a section cannot be called '\(name)': \(reason)", "Choose another name.")
            return false
        }
        let isWellFormed =
            !name.isEmpty && name.utf8.count <= 128
            && name.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
                    || $0 == 0x5F || $0 == 0x2D || $0 == 0x2E
            } && name.utf8.first != 0x2E && name.utf8.first != 0x2D
        guard isWellFormed else {
            fault(
                .invalidValue, section.line, "'\(name)' is not a name",
                "Use letters, digits, '_', '-' and '.', not first '-' or '.', at most 128.")
            return false
        }
        return true
    }

    /// Reads the values of `[pgmoneta]` or of a server section.
    mutating func parse(_ section: INIDocument.Section, as scope: ConfigurationSchema.Scope) -> ParsedSection {
        var parsed = ParsedSection(name: section.name, line: section.line, scope: scope)
        for entry in section.entries {
            guard let row = ConfigurationSchema.row(entry.key, in: scope) else {
                unknownKey(entry, scope, section.name)
                continue
            }
            guard let key = row.key else {
                warn(entry, row)
                continue
            }
            // The reference system writes -1 for "as in [pgmoneta]".
            if scope == .server, entry.value == "-1", key == .workers || key == .maximumRate { continue }
            do throws(SettingParser.Fault) {
                let value = try parser.parse(entry.value, as: row.kind)
                if key == .workers, case .integer(-1) = value {
                    throw .init(problem: "'-1' is not allowed", remedy: "Allowed: 0 for all processors, or a number.")
                }
                parsed.values[key] = .init(value: value, text: entry.value, line: entry.line)
                if !value.isOff { warn(entry, row) }
            } catch {
                parsed.faultyKeys.insert(key)
                fault(.invalidValue, entry.line, "\(entry.key): \(error.problem)", error.remedy)
            }
        }
        return parsed
    }

    /// Warns about a key that does nothing.
    private mutating func warn(_ entry: INIDocument.Entry, _ row: ConfigurationSchema.Row) {
        switch row.use {
        case .read: break
        case .inert(_, let reason):
            warn(entry.line, entry.key, "has no effect in this version: \(reason)", isReliedOn: row.isReliedOn)
        case .ignored(let reason):
            warn(entry.line, entry.key, "has no effect: \(reason)", isReliedOn: row.isReliedOn)
        }
    }

    private mutating func unknownKey(
        _ entry: INIDocument.Entry, _ scope: ConfigurationSchema.Scope, _ section: String
    ) {
        let names = ConfigurationSchema.names(in: scope)
        let other: ConfigurationSchema.Scope = scope == .global ? .server : .global
        var hint = NearestName.hint(entry.key, among: names)
        if ConfigurationSchema.row(entry.key, in: other) != nil {
            hint = other == .global ? "It belongs into [pgmoneta]. " : "It belongs into the section of a server. "
        }
        fault(
            .unknownKey, entry.line, "[\(section)] has no key '\(entry.key)'",
            "\(hint)Allowed: \(ConfigurationSchema.readNames(in: scope).joined(separator: ", ")).")
    }

    /// Notes what counts for each key of a section.
    mutating func show(_ section: ParsedSection) {
        for row in ConfigurationSchema.rows where row.scopes.contains(section.scope) {
            guard let key = row.key else { continue }
            let set = section.values[key]
            if section.scope == .server, set == nil, row.scopes.contains(.global) { continue }
            let value = set.map { row.kind == .secret ? "***" : $0.text } ?? row.standard ?? ""
            shown.append(.init(section: section.name, key: row.name, value: value, isSet: set != nil))
        }
    }
}
