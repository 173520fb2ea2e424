import BackupAPI

/// Credentials of the target's own section.
struct SettingsCredentials: CredentialSource {
    /// The section.
    let settings: TargetSettings

    func load(cancel: CancelFlag) throws(CredentialFault) -> S3Credentials? {
        let secret = try secretAccessKey(cancel: cancel)
        guard let identifier = settings.text("access_key_id") else {
            guard secret == nil else { throw CredentialFault("access_key_id is missing", remedy: remedy) }
            return nil
        }
        guard let secret, !secret.isEmpty else {
            throw CredentialFault("the secret access key is missing", remedy: remedy)
        }
        return S3Credentials(
            accessKeyID: identifier, secretAccessKey: secret, sessionToken: settings.values["session_token"])
    }

    private let remedy = "Set 'access_key_id' and one of 'secret_access_key', '…_file' and '…_command'."

    /// Makes a source.
    init(settings: TargetSettings) { self.settings = settings }

    private func secretAccessKey(cancel: CancelFlag) throws(CredentialFault) -> Secret? {
        if let secret = settings.values["secret_access_key"] { return secret }
        if let path = settings.text("secret_access_key_file") {
            guard let bytes = SmallFile.read(path) else {
                throw CredentialFault("'\(path)' cannot be read", remedy: "Check 'secret_access_key_file'.")
            }
            return Secret(firstLine(bytes))
        }
        if let command = settings.text("secret_access_key_command") {
            let bytes = ShellCommand.output(
                of: command, environment: settings.environment, isCancelled: { cancel.isSet })
            guard let bytes else {
                throw CredentialFault(
                    "the command for the secret access key failed or took longer than 30 s",
                    remedy: "Run 'secret_access_key_command' by hand as the same user.")
            }
            return Secret(firstLine(bytes))
        }
        return nil
    }

    private func firstLine(_ bytes: [UInt8]) -> [UInt8] {
        Array(bytes.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") })
    }
}

/// Credentials of the environment, by the names that the AWS tools use.
struct EnvironmentCredentials: CredentialSource {
    /// The environment.
    let environment: [String: String]

    func load(cancel: CancelFlag) throws(CredentialFault) -> S3Credentials? {
        guard let identifier = environment["AWS_ACCESS_KEY_ID"], !identifier.isEmpty,
            let secret = environment["AWS_SECRET_ACCESS_KEY"], !secret.isEmpty
        else { return nil }
        let token = environment["AWS_SESSION_TOKEN"].flatMap { $0.isEmpty ? nil : Secret($0) }
        return S3Credentials(accessKeyID: identifier, secretAccessKey: Secret(secret), sessionToken: token)
    }
}
