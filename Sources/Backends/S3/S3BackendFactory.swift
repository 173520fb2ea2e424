package import BackupAPI

/// Opens targets with an `s3://bucket/prefix` URL.
package enum S3BackendFactory {
    /// Makes the factory.
    /// - Parameters:
    ///   - cryptography: digests and message authentication for signing.
    ///   - now: seconds since 1970, UTC; the clock of the machine when it is left out.
    package static func factory(
        cryptography: any Cryptography, now: @escaping @Sendable () -> Int = { Timestamp.current().seconds }
    ) -> BackendFactory {
        BackendFactory(scheme: "s3", settings: S3Settings.declarations) { settings throws(StorageError) in
            let profile = SharedProfile(name: settings.text("profile"), environment: settings.environment)
            let configuration = try S3Settings.configuration(settings, profile: profile)
            return makeBackend(
                configuration, settings: settings, profile: profile, cryptography: cryptography, now: now)
        }
    }

    static func makeBackend(
        _ configuration: S3Configuration, settings: TargetSettings, profile: SharedProfile,
        cryptography: any Cryptography, now: @escaping @Sendable () -> Int
    ) -> S3Backend {
        let clock: @Sendable () -> Timestamp = { Timestamp(seconds: now()) }
        let environment = settings.environment
        // The services that hand out credentials are verified as everybody is, whatever the target's own settings are.
        let fetch = CredentialFetch(transport: CurlTransport(trust: TransportTrust(), maximumIdleHandles: 0))
        let found: [any CredentialSource] =
            profile.isNamed && settings.text("profile") != nil
            ? [profile, EnvironmentCredentials(environment: environment)]
            : [EnvironmentCredentials(environment: environment), profile]
        let roles: [any CredentialSource] = [
            WebIdentityCredentials(
                environment: environment, profile: profile, region: configuration.region, fetch: fetch),
            ContainerCredentials(environment: environment, fetch: fetch),
            InstanceCredentials(environment: environment, fetch: fetch),
        ]
        let transport = CurlTransport(
            trust: configuration.trust, maximumIdleHandles: 4 * configuration.concurrency)
        let client = S3Client(
            configuration: configuration,
            credentials: CredentialChain([SettingsCredentials(settings: settings)] + found + roles, now: clock),
            cryptography: cryptography, transport: transport, now: clock)
        return S3Backend(client: client, transport: transport)
    }
}
