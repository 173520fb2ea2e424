import BackupAPI
import TestSupport

@testable import SSHBackend

extension SSHServer {
    /// Opens a target in `place`; the settings replace the usual ones, an empty text takes one away.
    func open(
        port: Int? = nil, host: String = "127.0.0.1", settings changes: [String: String] = [:]
    ) async throws -> SSHBackend {
        let values = settings.merging(changes) { _, new in new }.mapValues { Secret($0) }
        let location = try TargetLocation(url(host: host, port: port))
        let backend = try await SSHBackendFactory.factory().open(TargetSettings(location: location, values: values))
        guard let backend = backend as? SSHBackend else { throw Unexpected() }
        return backend
    }
}
