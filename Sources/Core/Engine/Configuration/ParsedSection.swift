/// A `[pgmoneta]` or server section whose values were read as the schema says.
struct ParsedSection {
    /// A value with the line it stands on.
    struct Located {
        let value: SettingValue
        let text: String
        let line: Int
    }

    let name: String
    let line: Int
    let scope: ConfigurationSchema.Scope
    var values: [ConfigurationSchema.Key: Located] = [:]
    /// Keys whose value could not be read: they are not reported as missing.
    var faultyKeys: Set<ConfigurationSchema.Key> = []
}

/// Answers what counts for a key: the server's value, else the one of `[pgmoneta]`, else the default.
struct SettingLookup {
    typealias Key = ConfigurationSchema.Key

    let server: ParsedSection?
    let global: ParsedSection
    let standards: [Key: SettingValue]

    /// The value that the file sets, with its line.
    func located(_ key: Key) -> ParsedSection.Located? {
        guard let server else { return global.values[key] }
        if let value = server.values[key] { return value }
        let isShared = ConfigurationSchema.row(key.rawValue, in: .server)?.scopes.contains(.global) ?? true
        return isShared ? global.values[key] : nil
    }

    private func value(_ key: Key) -> SettingValue? { located(key)?.value ?? standards[key] }

    func text(_ key: Key) -> String? {
        if case .text(let text)? = value(key) { text } else { nil }
    }

    func integer(_ key: Key) -> Int? {
        if case .integer(let number)? = value(key) { number } else { nil }
    }

    func boolean(_ key: Key) -> Bool? {
        if case .boolean(let flag)? = value(key) { flag } else { nil }
    }

    func list(_ key: Key) -> [String]? {
        if case .list(let names)? = value(key) { names } else { nil }
    }

    func retention(_ key: Key) -> RetentionPolicy? {
        if case .retention(let policy)? = value(key) { policy } else { nil }
    }

    func encryption(_ key: Key) -> String? {
        if case .encryption(let name)? = value(key) { name } else { nil }
    }

    func compression(_ key: Key) -> CompressionSettings? {
        if case .compression(let settings)? = value(key) { settings } else { nil }
    }
}
