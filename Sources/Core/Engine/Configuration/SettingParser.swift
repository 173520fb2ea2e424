import BackupAPI

/// Reads values as their kinds say.
struct SettingParser {
    /// What is wrong with a value.
    struct Fault: Error {
        let problem: String
        let remedy: String
    }

    let codecs: CodecRegistry
    let environment: [String: String]

    /// Reads one value.
    func parse(_ text: String, as kind: SettingKind) throws(Fault) -> SettingValue {
        switch kind {
        case .boolean: return .boolean(try known(Self.boolean(text), text, kind))
        case .integer(let range):
            let number = try known(Int(text), text, kind)
            guard range.contains(number) else { throw notAllowed(text, kind) }
            return .integer(number)
        case .duration: return .integer(try known(Quantity.seconds(text), text, kind))
        case .size: return .integer(try known(Quantity.bytes(text), text, kind))
        case .text, .secret:
            guard !text.isEmpty else { throw notAllowed(text, kind) }
            return .text(text)
        case .path: return .text(try path(text, kind))
        case .paths:
            var paths: [String] = []
            for part in try list(text, kind) { paths.append(try path(part, kind)) }
            return .list(paths)
        case .choice(let names):
            guard names.contains(text) else { throw notAllowed(text, kind, near: names) }
            return .text(text)
        case .names, .storageEngines: return .list(try list(text, kind))
        case .compression: return .compression(try compression(text))
        case .encryption: return .encryption(try encryption(text))
        case .retention: return .retention(try known(RetentionPolicy(text), text, kind))
        }
    }

    /// What a kind allows in this program.
    func allowed(_ kind: SettingKind) -> String {
        kind.allowed(compressions: names(.compression), encryptions: names(.encryption))
    }

    /// on/yes/1/true and off/no/0/false in either case; nil for anything else.
    static func boolean(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "on", "yes", "1", "true": true
        case "off", "no", "0", "false": false
        default: nil
        }
    }

    private func names(_ kind: CodecFactory.Kind) -> [String] {
        codecs.factories.filter { $0.kind == kind }.map(\.name)
    }

    private func known<Value>(_ value: Value?, _ text: String, _ kind: SettingKind) throws(Fault) -> Value {
        guard let value else { throw notAllowed(text, kind) }
        return value
    }

    private func notAllowed(_ text: String, _ kind: SettingKind, near names: [String] = []) -> Fault {
        let comment = text.contains(" #") || text.contains(" ;") ? " A comment needs a line of its own." : ""
        let problem = text.isEmpty ? "there is no value" : "'\(text)' is not allowed"
        return Fault(
            problem: problem,
            remedy: "\(NearestName.hint(text, among: names))Allowed: \(allowed(kind)).\(comment)")
    }

    private func list(_ text: String, _ kind: SettingKind) throws(Fault) -> [String] {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false).map { String($0.trimmedOfBlanks) }
        var seen: Set<String> = []
        for part in parts where part.isEmpty || !seen.insert(part).inserted { throw notAllowed(text, kind) }
        return parts
    }

    private func compression(_ text: String) throws(Fault) -> CompressionSettings {
        guard text != "none" else { return CompressionSettings(codec: nil) }
        let forms: [(String, CompressionSettings.Wire)] = [("client-", .client), ("server-", .server)]
        let form = forms.first { text.hasPrefix($0.0) }
        let name = form.map { String(text.dropFirst($0.0.count)) } ?? text
        guard let factory = codecs.factory(named: name), factory.kind == .compression else {
            throw notAllowed(text, .compression, near: ["none"] + allNames(.compression))
        }
        if form?.1 == .server, !["gzip", "lz4", "zstd"].contains(factory.name) {
            throw Fault(
                problem: "PostgreSQL cannot compress with '\(factory.name)'",
                remedy: "Allowed after 'server-': gzip, lz4, zstd; or leave 'server-' out.")
        }
        return CompressionSettings(codec: factory.name, wire: form?.1)
    }

    private func encryption(_ text: String) throws(Fault) -> String? {
        guard text != "none" else { return nil }
        guard let factory = codecs.factory(named: text), factory.kind == .encryption else {
            throw notAllowed(text, .encryption, near: ["none"] + allNames(.encryption))
        }
        return factory.name
    }

    private func allNames(_ kind: CodecFactory.Kind) -> [String] {
        codecs.factories.filter { $0.kind == kind }.flatMap { [$0.name] + $0.aliases }
    }

    private func path(_ text: String, _ kind: SettingKind) throws(Fault) -> String {
        guard !text.isEmpty else { throw notAllowed(text, kind) }
        var result = ""
        var rest = Substring(text)
        if rest == "~" || rest.hasPrefix("~/") {
            result = try variable("HOME")
            rest = rest.dropFirst()
        }
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[rest.index(after: dollar)...]
            let name: Substring
            if rest.first == "{" {
                guard let end = rest.firstIndex(of: "}") else {
                    throw Fault(problem: "'${' is not closed in '\(text)'", remedy: "Write ${NAME}.")
                }
                name = rest[rest.index(after: rest.startIndex)..<end]
                rest = rest[rest.index(after: end)...]
            } else {
                name = rest.prefix { $0 == "_" || ($0.isASCII && ($0.isLetter || $0.isNumber)) }
                rest = rest[name.endIndex...]
            }
            result += try variable(String(name))
        }
        return result + rest
    }

    private func variable(_ name: String) throws(Fault) -> String {
        guard let value = environment[name], !value.isEmpty else {
            throw Fault(
                problem: "the variable '$\(name)' is not set",
                remedy: "Set it in the environment, or write the path out.")
        }
        return value
    }
}
