/// How to reach a PostgreSQL server; the names follow libpq's parameters.
package struct ConnectionSettings: Sendable, Hashable {
    /// A host name, an address, or a directory with the server's socket when it begins with `/`.
    package var host: String
    /// The TCP port, also part of the socket's name.
    package var port: Int
    /// The role; needs REPLICATION.
    package var user: String
    /// The database that SQL runs in.
    package var databaseName: String
    /// libpq's `sslmode`; nil leaves it to libpq.
    package var sslMode: String?
    /// libpq's `sslcert`.
    package var certificateFile: String?
    /// libpq's `sslkey`.
    package var keyFile: String?
    /// libpq's `sslrootcert`.
    package var authorityFile: String?
}

/// How backups are compressed.
package struct CompressionSettings: Sendable, Hashable {
    /// Where the compression is asked to happen, as the `client-` and `server-` forms say.
    package enum Wire: String, Sendable, Hashable, CaseIterable {
        /// PostgreSQL sends plain bytes; they are compressed here.
        case client
        /// PostgreSQL compresses what it sends (PostgreSQL 15 and later).
        case server
    }

    /// The codec's recorded name; nil stores plain bytes.
    package var codec: String?
    /// The codec's level; nil leaves it to the codec.
    package var level: Int?
    /// nil when neither form was written.
    package var wire: Wire?

    /// Makes settings.
    package init(codec: String?, level: Int? = nil, wire: Wire? = nil) {
        self.codec = codec
        self.level = level
        self.wire = wire
    }
}

/// The checksum in a backup's manifest.
package enum ManifestAlgorithm: String, Sendable, Hashable, CaseIterable {
    case crc32c, sha224, sha256, sha384, sha512
}

/// A data directory that is kept like the newest backup.
package struct HotStandby: Sendable, Hashable {
    /// Absolute.
    package var dataDirectory: String
    /// Where its tablespaces are, by where the server has them.
    package var tablespaces: [String: String]

    /// Makes a copy's settings.
    package init(dataDirectory: String, tablespaces: [String: String]) {
        self.dataDirectory = dataDirectory
        self.tablespaces = tablespaces
    }
}

/// One PostgreSQL server, with `[pgmoneta]` already applied where the server says nothing itself.
package struct ServerSettings: Sendable, Hashable {
    /// The section's name; names the server's folder on every target.
    package var name: String
    /// How to reach it.
    package var connection: ConnectionSettings
    /// How its backups are compressed.
    package var compression: CompressionSettings
    /// The recorded name of the encryption; nil stores plain bytes.
    package var encryption: String?
    /// Threads for codecs and transfers; 0 leaves it to `workerCount`.
    package var workers: Int
    /// Most bytes per second that are read from the server; 0 means no limit.
    package var maximumBytesPerSecond: Int
    /// The checksum that PostgreSQL is asked for.
    package var manifest: ManifestAlgorithm
    /// What retention keeps.
    package var retention: RetentionPolicy
    /// The physical replication slot for WAL.
    package var walSlot: String?
    /// Whether that slot is made when it is not there.
    package var createsSlot: Bool
    /// Where `backup` keeps copies of the newest backup.
    package var hotStandbys: [HotStandby]
    /// Names of the targets that its backups go to, in order; each is defined.
    package var targetNames: [String]
}

extension ServerSettings {
    /// The most workers where no number is set: what one stream of PostgreSQL brings does not keep more of them busy, and each
    /// has memory for several frames.
    package static let largestStandardWorkerCount = 8

    /// How many threads to use on a machine with so many processors.
    package func workerCount(processors: Int) -> Int {
        workers > 0 ? workers : min(max(1, processors), Self.largestStandardWorkerCount)
    }
}
