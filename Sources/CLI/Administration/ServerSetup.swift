import PostgresClient

/// The texts that prepare a PostgreSQL server and this machine for backups.
///
/// Full backups, and incremental ones from PostgreSQL 17 on, need REPLICATION only (PostgreSQL: "Streaming Replication Protocol").
/// Incremental backups of 14 to 16 read blocks through SQL functions that are for superusers unless granted (PostgreSQL: "System
/// Administration Functions").
package struct ServerSetup: Sendable, Hashable {
    /// 14 to 18.
    package var postgresMajorVersion: Int
    /// The role that pgmoneta connects as.
    package var role: String
    /// The server's name in the configuration.
    package var server: String
    /// The server's host.
    package var host: String
    /// Where pgmoneta connects from.
    package var clientAddress: String
    /// The directory for backups.
    package var baseDirectory: String
    /// A physical replication slot; nil makes none.
    package var slot: String?

    /// Makes a set-up.
    package init(
        postgresMajorVersion: Int, role: String, server: String, host: String, clientAddress: String,
        baseDirectory: String, slot: String?
    ) {
        self.postgresMajorVersion = postgresMajorVersion
        self.role = role
        self.server = server
        self.host = host
        self.clientAddress = clientAddress
        self.baseDirectory = baseDirectory
        self.slot = slot
    }

    /// `pgmoneta.conf`.
    package var configuration: String {
        """
        # pgmoneta.conf: save as /etc/pgmoneta/pgmoneta.conf, then run 'pgmoneta-cli conf check'.
        [pgmoneta]
        base_dir = \(baseDirectory)
        compression = zstd

        [\(server)]
        host = \(host)
        port = 5432
        user = \(role)

        """
    }

    /// Lines for `pg_hba.conf`.
    package var hba: String {
        """
        # pg_hba.conf: add these lines, then run 'SELECT pg_reload_conf();'.
        host    replication     \(quotedForHBA)    \(clientAddress)    scram-sha-256
        host    postgres        \(quotedForHBA)    \(clientAddress)    scram-sha-256

        """
    }

    /// SQL for a superuser, connected to the database that pgmoneta connects to.
    package var sql: String {
        var lines = [
            "-- For PostgreSQL \(postgresMajorVersion). Run as a superuser: psql -d postgres -f this-file.sql",
            "-- Then set the password with \\password \(quotedRole) and give it to 'pgmoneta-admin user add'.",
            "CREATE ROLE \(quotedRole) LOGIN REPLICATION;",
        ]
        if postgresMajorVersion >= 17 {
            lines += [
                "", "-- Incremental backups: PostgreSQL notes which blocks change.",
                "ALTER SYSTEM SET summarize_wal = on;", "SELECT pg_reload_conf();",
            ]
        } else {
            lines += ["", "-- Incremental backups: changed blocks are read through these functions."]
            lines += PostgresSession.fileFunctions(majorVersion: postgresMajorVersion).map {
                "GRANT EXECUTE ON FUNCTION \($0) TO \(quotedRole);"
            }
        }
        lines += [""] + slotLines
        return lines.joined(separator: "\n") + "\n"
    }

    private var slotLines: [String] {
        guard let slot else {
            return [
                "-- No replication slot is needed: each backup makes one for itself, and drops it at its end."
            ]
        }
        return [
            "-- The slot keeps WAL until somebody fetches it, which backups do not: without a receiver it fills the server's disk.",
            "SELECT pg_create_physical_replication_slot(\(literal(slot)), true)",
            "WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = \(literal(slot)));",
        ]
    }

    private var quotedRole: String { "\"\(doubled(role, "\""))\"" }

    private var quotedForHBA: String {
        let isPlain = role.utf8.allSatisfy {
            (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "_")
        }
        return isPlain ? role : quotedRole
    }

    private func literal(_ text: String) -> String { "'\(doubled(text, "'"))'" }

    private func doubled(_ text: String, _ mark: Character) -> String {
        text.split(separator: mark, omittingEmptySubsequences: false).joined(separator: "\(mark)\(mark)")
    }
}
