/// What a server was built with, as far as tests depend on it.
package struct PostgresFeatures: Sendable {
    /// Compressions that `BASE_BACKUP` can apply: of `gzip`, `lz4`, `zstd`.
    package let baseBackupCompressions: Set<String>
    /// Whether the server can use TLS.
    package let hasTLS: Bool
}

extension PostgresCluster {
    /// Asks the server what it was built with.
    package var features: PostgresFeatures {
        get throws {
            let choices = try psql("SELECT unnest(enumvals) FROM pg_settings WHERE name = 'wal_compression'")
            let configured = try psql("SELECT setting FROM pg_config WHERE name = 'CONFIGURE'")
            var compressions: Set<String> = []
            if major >= 15 {
                compressions = Set(choices.split(separator: "\n").map(String.init)).intersection(["lz4", "zstd"])
                if !configured.contains("--without-zlib") { compressions.insert("gzip") }
            }
            let hasTLS = try psql("SHOW ssl_library") != ""
            return PostgresFeatures(baseBackupCompressions: compressions, hasTLS: hasTLS)
        }
    }
}
