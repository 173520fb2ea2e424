import BackupAPI
import Codecs
import TestSupport

@testable import S3Backend

extension SeaweedServer {
    /// What to set for a target on it.
    /// - Parameter changes: replace or (nil) remove settings.
    func settings(
        prefix: String, isEncrypted: Bool = true, changes: [String: String?] = [:]
    ) throws -> TargetSettings {
        var values = settings(isEncrypted: isEncrypted)
        for (name, value) in changes { values[name] = value }
        return TargetSettings(
            location: try TargetLocation(url(prefix: prefix)), values: values.mapValues { Secret($0) },
            environment: ["AWS_EC2_METADATA_DISABLED": "true"])
    }

    /// Opens a target as a program does.
    func backend(
        prefix: String, isEncrypted: Bool = true, changes: [String: String?] = [:],
        now: (@Sendable () -> Int)? = nil
    ) async throws -> any StorageBackend {
        let settings = try settings(prefix: prefix, isEncrypted: isEncrypted, changes: changes)
        let cryptography = OpenSSLCryptography()
        let factory =
            now.map { S3BackendFactory.factory(cryptography: cryptography, now: $0) }
            ?? S3BackendFactory.factory(cryptography: cryptography)
        return try await factory.open(settings)
    }

    /// Opens a target through a proxy, with short pauses between tries.
    func backend(prefix: String, through proxy: FaultyProxy, partByteCount: Int = 5 << 20) async throws -> S3Backend {
        let settings = try settings(
            prefix: prefix, isEncrypted: false, changes: ["endpoint": "http://127.0.0.1:\(proxy.port)"])
        let profile = SharedProfile(name: nil, environment: [:])
        var configuration = try S3Settings.configuration(settings, profile: profile)
        configuration.backoff.firstPauseInMilliseconds = 5
        configuration.backoff.longestPauseInMilliseconds = 50
        configuration.partByteCount = partByteCount
        return S3BackendFactory.makeBackend(
            configuration, settings: settings, profile: profile, cryptography: OpenSSLCryptography(),
            now: { Timestamp.current().seconds })
    }
}
