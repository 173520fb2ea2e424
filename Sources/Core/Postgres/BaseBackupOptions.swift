/// What a base backup shall be (PostgreSQL chapter "Streaming Replication Protocol", `BASE_BACKUP`).
package struct BaseBackupOptions: Sendable, Hashable {
    /// How the server shall compress the archives (from version 15).
    package struct Compression: Sendable, Hashable {
        /// `gzip`, `lz4` or `zstd`.
        package var method: String
        /// The method's level; nil for its default.
        package var level: Int?
        /// Threads of the server (`zstd` only); nil for none beside its own.
        package var workers: Int?

        /// Makes a choice.
        package init(method: String, level: Int? = nil, workers: Int? = nil) {
            self.method = method
            self.level = level
            self.workers = workers
        }
    }

    /// The backup's name in `backup_label`.
    package var label: String
    /// Whether the checkpoint at the beginning is made at once, and not spread over minutes.
    package var fastCheckpoint: Bool
    /// Whether the server estimates sizes first, and tells its progress.
    package var progress: Bool
    /// Limit of the server's rate in kB per second, 32 to 1048576.
    package var maxRateInKilobytesPerSecond: Int?
    /// The checksums in the manifest: `NONE`, `CRC32C`, `SHA224`, `SHA256`, `SHA384` or `SHA512`; nil for no manifest.
    package var manifestChecksums: String?
    /// Whether the archive `base` has the WAL that the backup needs. If not, it must be received beside.
    package var includeWAL: Bool
    /// Whether the server waits until its archiver has stored the backup's WAL.
    package var waitForArchive: Bool
    /// Whether tablespaces are named in a file `tablespace_map` in place of links.
    package var tablespaceMap: Bool
    /// How the server compresses the archives; nil for not.
    package var serverCompression: Compression?
    /// Whether only blocks changed since the manifest that was uploaded are sent (from version 17).
    package var incremental: Bool
    /// Whether the server checks the checksums of data pages, where the cluster has them.
    package var verifyChecksums: Bool
    /// Limit for the checkpoint at the beginning; a spread one takes `checkpoint_timeout` at most.
    package var startTimeLimit: Duration
    /// Limit for silence of the server in the middle.
    package var silenceLimit: Duration

    /// Makes options.
    package init(
        label: String, fastCheckpoint: Bool = true, progress: Bool = true, maxRateInKilobytesPerSecond: Int? = nil,
        manifestChecksums: String? = "CRC32C", includeWAL: Bool = false, waitForArchive: Bool = false,
        tablespaceMap: Bool = false, serverCompression: Compression? = nil, incremental: Bool = false,
        verifyChecksums: Bool = true, startTimeLimit: Duration = .seconds(3600),
        silenceLimit: Duration = .seconds(300)
    ) {
        self.label = label
        self.fastCheckpoint = fastCheckpoint
        self.progress = progress
        self.maxRateInKilobytesPerSecond = maxRateInKilobytesPerSecond
        self.manifestChecksums = manifestChecksums
        self.includeWAL = includeWAL
        self.waitForArchive = waitForArchive
        self.tablespaceMap = tablespaceMap
        self.serverCompression = serverCompression
        self.incremental = incremental
        self.verifyChecksums = verifyChecksums
        self.startTimeLimit = startTimeLimit
        self.silenceLimit = silenceLimit
    }
}

extension BaseBackupOptions {
    /// The command for a server: a list in parentheses from version 15, bare words before.
    func command(for version: ServerVersion) -> String {
        let isModern = version.major >= 15
        var words = ["LABEL \(Self.literal(label))"]
        if progress { words.append("PROGRESS") }
        if fastCheckpoint { words.append(isModern ? "CHECKPOINT 'fast'" : "FAST") }
        if includeWAL { words.append("WAL") }
        if !waitForArchive { words.append(isModern ? "WAIT 0" : "NOWAIT") }
        if let rate = maxRateInKilobytesPerSecond { words.append("MAX_RATE \(rate)") }
        if tablespaceMap { words.append("TABLESPACE_MAP") }
        if !verifyChecksums { words.append(isModern ? "VERIFY_CHECKSUMS 0" : "NOVERIFY_CHECKSUMS") }
        if let manifestChecksums {
            words.append("MANIFEST 'yes'")
            words.append("MANIFEST_CHECKSUMS \(Self.literal(manifestChecksums))")
        }
        if incremental { words.append("INCREMENTAL") }
        if let compression = serverCompression {
            words.append("COMPRESSION \(Self.literal(compression.method))")
            if let detail = compression.detail { words.append("COMPRESSION_DETAIL \(Self.literal(detail))") }
        }
        return "BASE_BACKUP " + (isModern ? "(\(words.joined(separator: ", ")))" : words.joined(separator: " "))
    }

    /// What this version cannot do, and what to do then; nil when all is possible.
    func fault(for version: ServerVersion) -> (detail: String, remedy: String)? {
        if let compression = serverCompression, version.major < 15 {
            return (
                "PostgreSQL \(version.major) cannot compress backups",
                "Leave 'server-' out: set 'compression = \(compression.method)'; or upgrade the server to PostgreSQL 15."
            )
        }
        if incremental && !version.hasIncrementalBackup {
            return (
                "PostgreSQL \(version.major) cannot make incremental backups by itself",
                "Take a full backup, or upgrade the server to PostgreSQL 17."
            )
        }
        return nil
    }

    private static func literal(_ text: String) -> String { "'" + text.replacing("'", with: "''") + "'" }
}

extension BaseBackupOptions.Compression {
    /// Level and workers as `COMPRESSION_DETAIL`; nil when both are the server's choice.
    fileprivate var detail: String? {
        let parts = [level.map { "level=\($0)" }, workers.map { "workers=\($0)" }].compactMap { $0 }
        return parts.isEmpty ? nil : parts.joined(separator: ",")
    }
}
