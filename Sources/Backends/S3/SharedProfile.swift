import BackupAPI

/// A profile of the AWS tools' shared files, `~/.aws/credentials` and `~/.aws/config`.
struct SharedProfile: CredentialSource {
    /// The profile's name.
    let name: String
    /// Whether somebody asked for it by name, so that it must exist.
    let isNamed: Bool
    private let values: [String: String]

    /// Reads the files, whose places the environment may change.
    /// - Parameter name: nil takes `AWS_PROFILE`, else `default`.
    init(name: String?, environment: [String: String]) {
        let named = name ?? environment["AWS_PROFILE"]
        self.name = named ?? "default"
        isNamed = named != nil
        let home = environment["HOME"].map { "\($0)/.aws/" }
        var values: [String: String] = [:]
        if let path = environment["AWS_CONFIG_FILE"] ?? home.map({ $0 + "config" }) {
            let section = self.name == "default" ? ["default", "profile default"] : ["profile \(self.name)"]
            values = SharedProfile.section(section, in: SmallFile.read(path) ?? [])
        }
        if let path = environment["AWS_SHARED_CREDENTIALS_FILE"] ?? home.map({ $0 + "credentials" }) {
            let credentials = SharedProfile.section([self.name], in: SmallFile.read(path) ?? [])
            values.merge(credentials) { _, new in new }
        }
        self.values = values
    }

    /// The region that it sets.
    var region: String? { values["region"] }
    /// The role to take with a token, for web identities.
    var webIdentity: (role: String, tokenFile: String)? {
        guard let role = values["role_arn"], let file = values["web_identity_token_file"] else { return nil }
        return (role, file)
    }

    func load(cancel: CancelFlag) throws(CredentialFault) -> S3Credentials? {
        guard let identifier = values["aws_access_key_id"], let secret = values["aws_secret_access_key"] else {
            guard isNamed, webIdentity == nil else { return nil }
            throw CredentialFault(
                "the profile '\(name)' has no access key",
                remedy: "Add aws_access_key_id and aws_secret_access_key to [\(name)] in ~/.aws/credentials.")
        }
        return S3Credentials(
            accessKeyID: identifier, secretAccessKey: Secret(secret),
            sessionToken: values["aws_session_token"].map { Secret($0) })
    }

    /// The values of the sections of these names; indented lines belong to the value before them and are not needed.
    static func section(_ names: [String], in bytes: [UInt8]) -> [String: String] {
        var values: [String: String] = [:]
        var isInside = false
        for line in String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline) {
            guard let first = line.first, !first.isWhitespace, first != "#", first != ";" else { continue }
            if first == "[" {
                let name = line.dropFirst().prefix { $0 != "]" }.split(separator: " ").joined(separator: " ")
                isInside = names.contains(name)
            } else if isInside, let mark = line.firstIndex(of: "=") {
                values[String(trimming: line[..<mark]).lowercased()] = String(
                    trimming: line[line.index(after: mark)...])
            }
        }
        return values
    }
}
