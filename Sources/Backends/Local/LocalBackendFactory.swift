package import BackupAPI

/// Opens directories as targets.
package enum LocalBackendFactory {
    /// Makes backends for `file:` URLs.
    package static func factory() -> BackendFactory {
        BackendFactory(scheme: "file") { (settings) throws(StorageError) in
            let location = settings.location
            guard location.host.isEmpty, location.user.isEmpty, location.port == nil,
                location.path.utf8.first == UInt8(ascii: "/")
            else {
                throw StorageError(
                    .misconfigured, operation: .open, target: location.description,
                    detail: "the path of a directory does not begin with '/'",
                    remedy: "Write the target as /path or file:///path, with three slashes.")
            }
            let backend = LocalBackend(path: location.path)
            try backend.checkRoot()
            return backend
        }
    }
}
