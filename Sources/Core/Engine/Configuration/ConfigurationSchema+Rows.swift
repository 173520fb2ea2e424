extension ConfigurationSchema {
    private static let noManagement = "there is no remote management"

    /// Keys of `[pgmoneta]` alone.
    static let globalRows: [Row] = [
        row(
            .host, [.global], .text, "localhost",
            "The address that the daemon's `/metrics` and status page listen on; `*` is all."),
        row(.metrics, [.global], .integer(0...65_535), "0", "The port of `/metrics` and the status page; 0 is off."),
        row(
            .unixSocketDirectory, [.global], .path, "~/.pgmoneta",
            "The directory of the socket `.s.pgmoneta`, over which `pgmoneta-cli` asks the daemon."),
        inert(
            .management, [.global], .integer(0...65_535), "0", "The port of remote management; 0 is off.",
            because: noManagement),
        row(
            .logType, [.global], .choice(["console", "file", "syslog"]), "console",
            "Where the daemon logs to. `pgmoneta-cli` logs to standard error."),
        row(
            .logLevel, [.global], .choice(logLevels.map(\.name)), "info",
            "The least level that the daemon logs. `debug1` to `debug5` are as in the reference system."),
        row(.logPath, [.global], .path, "The daemon's log file, for `log_type = file`."),
        row(
            .logLinePrefix, [.global], .text, "%Y-%m-%d %H:%M:%S",
            "`strftime` text before each line of the daemon's log."),
        row(.pidfile, [.global], .path, "The file with the daemon's process id."),
        row(
            .spool, [.global], .path, "~/.pgmoneta/spool",
            "The directory in which the daemon keeps WAL until every target has it. It should be on a disk of its own."),
        row(
            .spoolLimit, [.global], .size, "0",
            "Most bytes of WAL of one server in `spool`; then the server keeps its WAL. 0 leaves 256 MB of the disk free."
        ),
        row(
            .retentionInterval, [.global], .duration, "0",
            "How often the daemon applies `retention`; 0 is never."),
        row(
            .baseDirectory, [.global], .path,
            "The directory of the target `local`; needed unless another target is defined."),
        row(
            .storageEngine, [.global], .storageEngines, "local",
            "Which targets are made from the keys of the reference system: `local` from `base_dir`, `s3` from the `s3_*` keys, "
                + "`ssh` from the `ssh_*` keys."),
        inert(
            .workspace, [.global], .path, "/tmp/pgmoneta-workspace", "Scratch space for work that needs files.",
            because: "nothing here needs scratch space"),
        row(
            .verification, [.global], .duration, "0",
            "The time between two checks of each backup by the daemon; 0 is never."),
        row(
            .verificationMaximumRate, [.global], .size, "0",
            "Most bytes per second that such a check reads from all targets together; 0 is no limit."),
    ]

    /// Keys of `[pgmoneta]` that a server may override.
    static let sharedRows: [Row] = [
        row(
            .target, [.global, .server], .names,
            "The targets that backups go to. Without it: all that `storage_engine` makes; if there are none, all `[target:NAME]`."
        ),
        row(
            .compression, [.global, .server], .compression, "zstd",
            "How backups are compressed. With `server-`, PostgreSQL 15 and later compresses what it sends, too."),
        row(
            .compressionLevel, [.global, .server], .integer(0...22),
            "The compression's level, within what the compression offers; without it, the compression's own (3 for zstd)."
        ),
        row(
            .encryption, [.global, .server], .encryption, "none",
            "How backups are encrypted; needs the master key. A target keeps encrypted backups or plain ones, never both."
        ),
        row(
            .workers, [.global, .server], .integer(-1...1_024), "0",
            "Threads for codecs and transfers; 0 is one per processor, 8 at most. In a server section, -1 takes the value of `[pgmoneta]`."
        ),
        row(
            .maximumRate, [.global, .server], .size, "0",
            "Most bytes per second read from PostgreSQL; 0 is no limit. In a server section, -1 takes the value of `[pgmoneta]`."
        ),
        row(
            .retention, [.global, .server], .retention, "7, -, -, -",
            "Days, weeks, months and years: `pgmoneta-cli retention` keeps the newest backup of each. By itself nothing is removed without `retention_interval`."
        ),
        row(
            .manifest, [.global, .server], .choice(ManifestAlgorithm.allCases.map(\.rawValue)), "crc32c",
            "The checksum in PostgreSQL's backup manifest."),
        row(.createSlot, [.global, .server], .boolean, "off", "Whether `wal_slot` is made when it is not there."),
    ]

    /// Keys of server sections alone.
    static let serverRows: [Row] = [
        row(.host, [.server], .text, "The server's host; beginning with `/`, the directory of its socket. Required."),
        row(.port, [.server], .integer(1...65_535), "5432", "The server's port."),
        row(.user, [.server], .text, "The role to connect as; it needs REPLICATION. Required."),
        row(.dbname, [.server], .text, "postgres", "The database to connect to for SQL."),
        row(
            .sslmode, [.server],
            .choice(["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]),
            "libpq's `sslmode`; without it, libpq's own default."),
        row(.certificateFile, [.server], .path, "The client's certificate (libpq's `sslcert`)."),
        row(.keyFile, [.server], .path, "The client's key (libpq's `sslkey`)."),
        row(.authorityFile, [.server], .path, "Certificates of the authorities to trust (libpq's `sslrootcert`)."),
        row(
            .walSlot, [.server], .text,
            "The physical replication slot through which the daemon receives WAL; without it, it does not."),
        row(
            .hotStandby, [.server], .paths,
            "Directories in which `backup` keeps a copy of the newest backup that is ready to start, each in a folder with the server's name."
        ),
        row(
            .hotStandbyTablespaces, [.server], .text,
            "Where the tablespaces of those copies are: `/old -> /new, …`, for several directories with `|` between them."
        ),
    ]

    /// Keys of the reference system that define the targets `s3` and `ssh`.
    static let storageRows: [Row] = [
        row(.s3Bucket, [.global, .server], .text, "The bucket of the target `s3`."),
        row(.s3BaseDirectory, [.global, .server], .text, "The prefix inside the bucket."),
        row(.s3Region, [.global, .server], .text, "The target setting `region`."),
        row(.s3AccessKeyID, [.global, .server], .text, "The target setting `access_key_id`."),
        row(.s3SecretAccessKey, [.global, .server], .secret, "The target setting `secret_access_key`."),
        row(.s3StorageClass, [.global, .server], .text, "The target setting `storage_class`."),
        row(
            .s3Endpoint, [.global, .server], .text,
            "The host of an S3 service other than AWS, for the target setting `endpoint`; sets `path_style` too."),
        row(.s3Port, [.global, .server], .integer(1...65_535), "The port of `s3_endpoint`."),
        row(
            .s3UseTLS, [.global, .server], .boolean, "on",
            "Whether `s3_endpoint` is spoken to over TLS. (The reference system's default is off.)"),
        row(.sshHostname, [.global], .text, "The host of the target `ssh`."),
        row(.sshUsername, [.global], .text, "The user on that host."),
        row(.sshPort, [.global], .integer(1...65_535), "The port of that host."),
        row(.sshBaseDirectory, [.global], .text, "The directory on that host."),
        row(.sshPrivateKeyFile, [.global], .path, "The target setting `private_key_file`."),
    ]

    private static func row(_ key: Key, _ scopes: [Scope], _ kind: SettingKind, _ documentation: String) -> Row {
        row(key, scopes, kind, nil, documentation)
    }
}
