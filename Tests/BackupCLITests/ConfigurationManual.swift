import BackupAPI
import BackupCLI
import BackupEngine

/// Writes `docs/CONFIGURATION.md` from the schema and the settings that the standard kit's backends declare.
struct ConfigurationManual {
    let kit: Kit

    /// The whole page.
    var text: String {
        [
            Self.introduction, table("`[pgmoneta]`", .global), table("Server sections", .server), targets,
            Self.engines, ignored, Self.faults,
        ].joined(separator: "\n\n") + "\n"
    }

    private static let introduction = """
        # Configuration

        <!-- Made from the schema by the test "the configuration manual is true"; run it with PGMONETA_WRITE_MANUAL=1 after a change. -->

        `pgmoneta.conf` is read from `/etc/pgmoneta`, or from the directory in `PGMONETA_CONFIG_DIR`, or from where `--config` says.
        `pgmoneta-admin init` prints one to start with, and `pgmoneta-cli conf check` says everything that is wrong with one at once.

        - `[section]` and `key = value`, one a line, in UTF-8; lines end with LF or CRLF. Blanks around keys and values do not count.
        - `#` and `;` begin a comment only at the beginning of a line. A value may stand in one pair of `'` or `"`.
        - `[pgmoneta]` is needed. `[target:NAME]` defines a target. Every other section is a PostgreSQL server with its name.
        - Names are letters, digits, `_`, `-` and `.`. A section or key that occurs twice, and every unknown section, key or value, is an
          error with its file and line.
        - Times: `30`, `30s`, `10m`, `1H`, `7d`, `2w`. Sizes: `512`, `512B`, `64K`, `10MB`, `2G`, `1TB`, by 1024. Units in either case.
        - In paths, `$NAME` and `${NAME}` are taken from the environment, and a leading `~/` from `HOME`.
        - Keys that are **without effect in this version**, and those of the last table, are accepted with a warning. `conf check` shows
          all of them with their reasons. The other commands name those that somebody could rely on, once and on standard error.
        """

    private static let engines = """
        ## Which targets a server uses

        Those of its `target` key, or of `target` in `[pgmoneta]`; else all that `storage_engine` makes; else all `[target:NAME]`.

        `storage_engine` makes `local` from `base_dir`, `s3` from the `s3_*` keys and `ssh` from the `ssh_*` keys, so that configuration
        files of the reference system work. A server with `s3_*` keys of its own gets a target `s3-SERVER` instead of `s3`. There is no
        Azure backend: `storage_engine = azure` is an error.

        ## Passwords

        A server's password comes from the users file `pgmoneta_users.conf` beside the configuration (`pgmoneta-admin user add`, sealed
        with the master key), else from where libpq looks: `.pgpass`, a service, a certificate. It is never in this file.
        """

    private static let faults = """
        ## What is reported

        A fault is `file:line: what is wrong` with a remedy that says what is allowed and which known name is nearest. Its code is one of
        `configuration-unreadable`, `configuration-syntax`, `configuration-duplicate`, `configuration-unknown-section`,
        `configuration-unknown-key`, `configuration-invalid-value`, `configuration-missing`, `configuration-unknown-name` and
        `configuration-unsupported`; the exit code is 2.
        """

    private func table(_ title: String, _ scope: ConfigurationSchema.Scope) -> String {
        let rows = ConfigurationSchema.rows.filter { row in
            row.key != nil && row.scopes.contains(scope)
        }
        let lines = rows.map { row in
            let inherited = scope == .server && row.scopes.contains(.global)
            let standard = inherited ? "as in `[pgmoneta]`" : row.standard.map { "`\($0)`" } ?? ""
            return "| `\(row.name)` | \(standard) | \(purpose(row)) | \(allowed(row.kind)) |"
        }
        return "## \(title)\n\n| key | default | for | allowed |\n|---|---|---|---|\n" + lines.joined(separator: "\n")
    }

    private func purpose(_ row: ConfigurationSchema.Row) -> String {
        guard case .inert(_, let reason) = row.use else { return row.documentation }
        return "\(row.documentation) **Without effect in this version**: \(reason)."
    }

    private func allowed(_ kind: SettingKind) -> String {
        func names(_ kind: CodecFactory.Kind) -> [String] {
            kit.codecs.factories.filter { $0.kind == kind }.map { factory in
                ([factory.name] + factory.aliases).joined(separator: " = ")
            }
        }
        return kind.allowed(compressions: names(.compression), encryptions: names(.encryption))
    }

    private var targets: String {
        var text = """
            ## `[target:NAME]`

            `url` is needed: `file:///path`, `s3://bucket/prefix` or `sftp://user@host:port/path`. A password in it is refused. The other
            keys depend on the kind of URL; secret ones are never printed.
            """
        for factory in kit.backends.factories where !factory.settings.isEmpty {
            text += "\n\n| `\(factory.scheme)://` | |\n|---|---|\n"
            text += factory.settings.map { setting in
                "| `\(setting.name)` | \(setting.purpose)\(setting.isSecret ? " (secret)" : "") |"
            }.joined(separator: "\n")
        }
        return text
    }

    private var ignored: String {
        let lines = ConfigurationSchema.rows.compactMap { row -> String? in
            guard case .ignored(let reason) = row.use else { return nil }
            let places = row.scopes.map { $0 == .global ? "`[pgmoneta]`" : "server" }.joined(separator: ", ")
            return "| `\(row.name)` | \(places) | \(reason) |"
        }
        return """
            ## Keys of the reference system without effect here

            | key | in | why |
            |---|---|---|

            """ + lines.joined(separator: "\n")
    }
}
