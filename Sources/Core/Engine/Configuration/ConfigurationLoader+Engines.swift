import BackupAPI

/// The targets that the keys of the reference system describe.
extension ConfigurationLoader {
    mutating func localTarget(_ lookup: SettingLookup, _ line: Int, isAskedFor: Bool) -> [TargetDefinition] {
        guard let path = lookup.text(.baseDirectory), let base = lookup.located(.baseDirectory) else {
            if isAskedFor, !lookup.global.faultyKeys.contains(.baseDirectory) {
                fault(.missing, line, "storage_engine: 'local' needs 'base_dir'", "Set base_dir in [pgmoneta].")
            }
            return []
        }
        // A relative path is reported with the other paths.
        guard path.hasPrefix("/") else { return [] }
        return target("local", url: path, values: [:], base.line)
    }

    mutating func s3Target(_ lookup: SettingLookup, _ line: Int, name: String) -> [TargetDefinition] {
        guard let bucket = lookup.text(.s3Bucket), let place = lookup.located(.s3Bucket) else {
            fault(.missing, line, "storage_engine: 's3' needs 's3_bucket'", "Set s3_bucket in [pgmoneta].")
            return []
        }
        var values: [String: String] = [:]
        values["region"] = lookup.text(.s3Region)
        values["access_key_id"] = lookup.text(.s3AccessKeyID)
        values["secret_access_key"] = lookup.text(.s3SecretAccessKey)
        values["storage_class"] = lookup.text(.s3StorageClass)
        if let host = lookup.text(.s3Endpoint) {
            values["endpoint"] = endpoint(host, lookup)
            values["path_style"] = "on"
        } else if let port = lookup.located(.s3Port) {
            warn(port.line, "s3_port", "has no effect: 's3_endpoint' is not set", isReliedOn: true)
        }
        let prefix = lookup.text(.s3BaseDirectory).map { Self.path($0) } ?? ""
        return target(name, url: "s3://\(bucket)\(prefix)", values: values, place.line)
    }

    private func endpoint(_ host: String, _ lookup: SettingLookup) -> String {
        guard !host.contains("://") else { return host }
        let scheme = lookup.boolean(.s3UseTLS) ?? true ? "https" : "http"
        return "\(scheme)://\(host)" + (lookup.integer(.s3Port).map { ":\($0)" } ?? "")
    }

    mutating func sshTarget(_ lookup: SettingLookup, _ line: Int) -> [TargetDefinition] {
        let needed: [Key] = [.sshHostname, .sshBaseDirectory]
        for key in needed where lookup.text(key) == nil && !lookup.global.faultyKeys.contains(key) {
            fault(
                .missing, line, "storage_engine: 'ssh' needs '\(key.rawValue)'", "Set \(key.rawValue) in [pgmoneta].")
        }
        guard let host = lookup.text(.sshHostname), let base = lookup.text(.sshBaseDirectory),
            let place = lookup.located(.sshHostname)
        else { return [] }
        let user = lookup.text(.sshUsername).map { $0 + "@" } ?? ""
        let port = lookup.integer(.sshPort).map { ":\($0)" } ?? ""
        let bracketed = host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
        var values: [String: String] = [:]
        values["private_key_file"] = lookup.text(.sshPrivateKeyFile)
        return target("ssh", url: "sftp://\(user)\(bracketed)\(port)\(Self.path(base))", values: values, place.line)
    }

    private mutating func target(
        _ name: String, url: String, values: [String: String], _ line: Int
    ) -> [TargetDefinition] {
        guard let (location, _) = location(url, line) else { return [] }
        let settings = TargetSettings(
            location: location, values: values.mapValues { Secret($0) }, environment: environment)
        return [TargetDefinition(name: name, settings: settings, line: line)]
    }

    /// A path for a URL: one slash in front, none behind, `%` encoded.
    private static func path(_ text: String) -> String {
        var rest = Substring(text)
        while rest.hasPrefix("/") { rest = rest.dropFirst() }
        while rest.hasSuffix("/") { rest = rest.dropLast() }
        guard !rest.isEmpty else { return "" }
        return "/" + rest.split(separator: "%", omittingEmptySubsequences: false).joined(separator: "%25")
    }
}
