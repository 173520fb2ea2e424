package import Logging

extension ConfigurationSchema {
    /// Keys of the reference system that do nothing here, with the reason a warning gives.
    static let ignoredRows: [Row] = [
        ignored("nagios", [.global], because: "there is no Nagios port; look at the exit codes"),
        ignored("console", [.global], because: "there is no web console"),
        ignored("metrics_cache_max_age", [.global], because: "backups are looked at every 30 seconds"),
        ignored("metrics_cache_max_size", [.global], because: "there is nothing to choose"),
        ignored("metrics_cert_file", [.global], because: "'/metrics' is without TLS; put a proxy in front"),
        ignored("metrics_key_file", [.global], because: "'/metrics' is without TLS; put a proxy in front"),
        ignored("metrics_ca_file", [.global], because: "'/metrics' is without TLS; put a proxy in front"),
        ignored("tls", [.global], because: "there is no management socket"),
        ignored("tls_cert_file", [.global], because: "it is a setting of server sections here"),
        ignored("tls_key_file", [.global], because: "it is a setting of server sections here"),
        ignored("tls_ca_file", [.global], because: "it is a setting of server sections here"),
        ignored("log_mode", [.global], because: "logs are always appended"),
        ignored("log_rotation_age", [.global], because: "use logrotate; the file is opened for each line"),
        ignored("log_rotation_size", [.global], because: "use logrotate; the file is opened for each line"),
        ignored("blocking_timeout", [.global], because: "every call has its own limits"),
        ignored("authentication_timeout", [.global], because: "every call has its own limits"),
        ignored("libev", [.global], because: "there is no event library to choose"),
        ignored("keep_alive", [.global], because: "libpq's own setting is used"),
        ignored("nodelay", [.global], because: "libpq's own setting is used"),
        ignored("non_blocking", [.global], because: "there is nothing to choose"),
        ignored("backlog", [.global], because: "there is nothing to choose"),
        ignored("hugepage", [.global], because: "memory is bounded and small"),
        ignored("direct_io", [.global], because: "files are written through the page cache and then flushed"),
        ignored("update_process_title", [.global], because: "process titles are not changed"),
        ignored(
            "backup_max_rate", [.global, .server], because: "it is called 'max_rate' now; set that for a limit",
            isReliedOn: true),
        ignored(
            "network_max_rate", [.global, .server], because: "it is called 'max_rate' now; set that for a limit",
            isReliedOn: true),
        ignored("progress", [.global, .server], because: "progress is shown on every terminal; see --no-progress"),
        ignored("ssh_ciphers", [.global], because: "OpenSSH's own configuration chooses them", isReliedOn: true),
        ignored("ssh_public_key_file", [.global], because: "the private key is enough"),
        ignored("azure_storage_account", [.global], because: "there is no Azure backend"),
        ignored("azure_container", [.global], because: "there is no Azure backend"),
        ignored("azure_shared_key", [.global], because: "there is no Azure backend"),
        ignored("azure_base_dir", [.global], because: "there is no Azure backend"),
        ignored("azure_endpoint", [.global], because: "there is no Azure backend"),
        ignored("azure_port", [.global], because: "there is no Azure backend"),
        ignored("azure_use_tls", [.global], because: "there is no Azure backend"),
        ignored("workspace", [.server], because: "nothing here needs scratch space"),
        ignored(
            "follow", [.server], because: "the WAL of a server is received from that server alone", isReliedOn: true),
        ignored(
            "wal_shipping", [.server], because: "WAL goes to the server's targets; name another target for a copy",
            isReliedOn: true),
        ignored(
            "hot_standby_overrides", [.server], because: "nothing is changed in a copy after it was made",
            isReliedOn: true),
        ignored("extra", [.server], because: "only what PostgreSQL itself sends is backed up", isReliedOn: true),
    ]

    /// The names of log levels, with the level each stands for.
    package static let logLevels: [(name: String, level: Logger.Level)] = [
        ("trace", .trace), ("debug5", .trace), ("debug4", .trace), ("debug3", .trace), ("debug2", .debug),
        ("debug1", .debug), ("debug", .debug), ("info", .info), ("notice", .notice), ("warn", .warning),
        ("warning", .warning), ("error", .error), ("critical", .critical), ("fatal", .critical),
    ]
}
