/// Every key that `pgmoneta.conf` may hold in `[pgmoneta]` and in server sections: the one place that knows them.
///
/// The keys of `[target:NAME]` sections are declared by the backends; only `url` is common to them.
package enum ConfigurationSchema {
    /// Keys that are read. The raw value is the key in the file.
    package enum Key: String, Sendable, Hashable, CaseIterable {
        case host, port, user, dbname, sslmode, metrics, management, pidfile, compression, encryption, workers,
            retention
        case verification, manifest, workspace, target
        case unixSocketDirectory = "unix_socket_dir"
        case logType = "log_type"
        case logLevel = "log_level"
        case logPath = "log_path"
        case logLinePrefix = "log_line_prefix"
        case baseDirectory = "base_dir"
        case compressionLevel = "compression_level"
        case maximumRate = "max_rate"
        case storageEngine = "storage_engine"
        case createSlot = "create_slot"
        case walSlot = "wal_slot"
        case hotStandby = "hot_standby"
        case hotStandbyTablespaces = "hot_standby_tablespaces"
        case verificationMaximumRate = "verification_max_rate"
        case spool
        case spoolLimit = "spool_limit"
        case retentionInterval = "retention_interval"
        case certificateFile = "tls_cert_file"
        case keyFile = "tls_key_file"
        case authorityFile = "tls_ca_file"
        case s3Bucket = "s3_bucket"
        case s3BaseDirectory = "s3_base_dir"
        case s3Region = "s3_region"
        case s3AccessKeyID = "s3_access_key_id"
        case s3SecretAccessKey = "s3_secret_access_key"
        case s3StorageClass = "s3_storage_class"
        case s3Endpoint = "s3_endpoint"
        case s3Port = "s3_port"
        case s3UseTLS = "s3_use_tls"
        case sshHostname = "ssh_hostname"
        case sshUsername = "ssh_username"
        case sshBaseDirectory = "ssh_base_dir"
        case sshPort = "ssh_port"
        case sshPrivateKeyFile = "ssh_private_key_file"
    }

    /// Where a key may stand.
    package enum Scope: String, Sendable, Hashable, CaseIterable {
        /// `[pgmoneta]`.
        case global
        /// The section of a server.
        case server
    }

    /// What becomes of a key.
    package enum Use: Sendable, Hashable {
        /// It is read under this key.
        case read(Key)
        /// It is read and checked under this key, but nothing uses it in this version: accepted, with a warning that says why.
        case inert(Key, because: String)
        /// It belongs to the reference system: accepted, with a warning that says why it does nothing here.
        case ignored(because: String)
    }

    /// One line of the table.
    package struct Row: Sendable, Hashable {
        /// The key in the file.
        package let name: String
        /// Where it may stand; in both, the server's value wins.
        package let scopes: [Scope]
        /// What its value may be.
        package let kind: SettingKind
        /// What counts when it is not set, as the file would write it.
        package let standard: String?
        /// What it is for.
        package let documentation: String
        /// What becomes of it.
        package let use: Use
        /// Whether who sets it relies on what does not happen: then every command warns, and not only `conf check`.
        package let isReliedOn: Bool

        /// The key that it is read under; nil where it is only accepted.
        package var key: Key? {
            switch use {
            case .read(let key), .inert(let key, _): key
            case .ignored: nil
            }
        }
    }

    /// The whole table, in the order of the manual.
    package static let rows: [Row] = globalRows + sharedRows + serverRows + storageRows + ignoredRows

    /// The row for a key in a section; nil when the section has no such key.
    package static func row(_ name: String, in scope: Scope) -> Row? {
        rows.first { $0.name == name && $0.scopes.contains(scope) }
    }

    /// The names that may stand in a section.
    package static func names(in scope: Scope) -> [String] {
        rows.filter { $0.scopes.contains(scope) }.map(\.name)
    }

    /// The names in a section that have an effect.
    package static func readNames(in scope: Scope) -> [String] {
        rows.compactMap { row in
            if case .read = row.use, row.scopes.contains(scope) { row.name } else { nil }
        }
    }

    /// Makes a row for a key that is read.
    static func row(
        _ key: Key, _ scopes: [Scope], _ kind: SettingKind, _ standard: String? = nil, _ documentation: String
    ) -> Row {
        Row(
            name: key.rawValue, scopes: scopes, kind: kind, standard: standard, documentation: documentation,
            use: .read(key), isReliedOn: false)
    }

    /// Makes a row for a key that is read, and does nothing in this version.
    static func inert(
        _ key: Key, _ scopes: [Scope], _ kind: SettingKind, _ standard: String? = nil, _ documentation: String,
        because reason: String, isReliedOn: Bool = false
    ) -> Row {
        Row(
            name: key.rawValue, scopes: scopes, kind: kind, standard: standard, documentation: documentation,
            use: .inert(key, because: reason), isReliedOn: isReliedOn)
    }

    /// Makes a row for a key of the reference system that does nothing here.
    static func ignored(_ name: String, _ scopes: [Scope], because reason: String, isReliedOn: Bool = false) -> Row {
        Row(
            name: name, scopes: scopes, kind: .text, standard: nil, documentation: "",
            use: .ignored(because: reason), isReliedOn: isReliedOn)
    }
}
