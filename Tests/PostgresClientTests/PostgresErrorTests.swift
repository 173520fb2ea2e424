import Testing

@testable import PostgresClient

@Suite struct PostgresErrorTests {
    @Test(arguments: [
        ("28P01", "password authentication failed", PostgresError.Operation.connect, "authentication-failed"),
        ("28000", "no pg_hba.conf entry for replication connection from host \"::1\"", .connect, "permission"),
        ("28000", "role \"x\" does not exist", .connect, "authentication-failed"),
        ("3D000", "database \"x\" does not exist", .connect, "no-such-database"),
        ("42501", "permission denied to start WAL sender", .connect, "permission"),
        ("42501", "permission denied for function pg_backup_start", .query, "permission"),
        ("53300", "sorry, too many clients already", .connect, "too-many-connections"),
        ("53300", "exceeds max_wal_senders (currently 10)", .connect, "too-many-connections"),
        ("53300", "exceeds max_wal_senders (currently 0)", .connect, "wal-level"),
        ("57P03", "the database system is starting up", .connect, "server-starting"),
        ("57P01", "terminating connection due to administrator command", .backup, "connection-lost"),
        ("55006", "replication slot \"x\" is active for PID 1", .wal, "slot-in-use"),
        ("42710", "replication slot \"x\" already exists", .createSlot, "slot-in-use"),
        ("53400", "all replication slots are in use", .createSlot, "no-slots"),
        ("55000", "replication slots can only be used if max_replication_slots > 0", .createSlot, "no-slots"),
        ("55000", "WAL level not sufficient for making an online backup", .backup, "wal-level"),
        (
            "55000", "incremental backups cannot be taken unless WAL summarization is enabled", .backup,
            "summaries-missing"
        ),
        ("58P01", "requested WAL segment 000000010000000000000001 has already been removed", .wal, "wal-gone"),
        ("XX001", "checksum verification failure during base backup", .backup, "damaged-pages"),
        ("57014", "canceling statement due to user request", .backup, "backup-failed"),
        ("22012", "division by zero", .query, "other"),
    ])
    func `the server's code decides the reason`(
        state: String, text: String, operation: PostgresError.Operation, reason: String
    ) {
        let error = ServerMessage(sqlState: state, primary: text).error(operation, server: "db:5432", user: "bob")

        #expect(error.reason.rawValue == reason)
        #expect(error.summary.hasSuffix("(\(text), SQLSTATE \(state))"))
    }

    @Test(arguments: [
        ("could not translate host name \"x\" to address: Name or service not known", "no-such-host"),
        ("connection to server at \"127.0.0.1\", port 1 failed: Connection refused", "connection-refused"),
        ("connection to server on socket \"/x/.s.PGSQL.1\" failed: No such file or directory", "connection-refused"),
        ("connection to server at \"x\" failed: fe_sendauth: no password supplied", "authentication-failed"),
        ("server does not support SSL, but SSL was required", "tls"),
        ("SSL error: certificate verify failed", "tls"),
        ("connection to server at \"x\" failed: No route to host", "timed-out"),
        ("definition of service \"x\" not found", "settings"),
        ("server closed the connection unexpectedly", "connection-lost"),
        ("SSL connection has been closed unexpectedly", "connection-lost"),
    ])
    func `libpq's words decide the reason where no server speaks`(text: String, reason: String) {
        let error = ServerMessage(verbose: text + "\n").error(.connect, server: "db:5432", user: "bob")

        #expect(error.reason.rawValue == reason)
        #expect(error.sqlState == nil)
    }

    @Test func `the code is found in verbose words of any language`() {
        let text =
            "connection to server at \"127.0.0.1\", port 1 failed: FATALE:  28P01: autenticazione fallita\n"
            + "LOCATION:  auth_failed, auth.c:331\n"

        let message = ServerMessage(verbose: text)

        #expect(message.sqlState == "28P01")
        #expect(message.text == "connection to server at \"127.0.0.1\", port 1 failed: FATALE: autenticazione fallita")
    }

    @Test func `every reason has words for every operation`() {
        for reason in PostgresError.Reason.allCases {
            for operation in PostgresError.Operation.allCases {
                let error = PostgresError(reason, operation, server: "db")
                #expect(error.summary.hasPrefix("cannot "))
                #expect(!error.summary.hasSuffix(".") && !error.summary.contains("\n"))
                #expect(error.remedy.hasSuffix(".") || error.remedy.hasSuffix(";"))
            }
        }
    }

    @Test func `a missing right is named with the statement that grants it`() {
        let replication = ServerMessage(sqlState: "42501", primary: "must be superuser or replication role")
        let function = ServerMessage(sqlState: "42501", primary: "permission denied for function pg_backup_start")

        #expect(
            replication.error(.connect, server: "", user: "bob").remedy
                == "Run as a superuser: ALTER ROLE \"bob\" REPLICATION;")
        #expect(
            function.error(.query, server: "", user: "bob").remedy
                == "Run as a superuser: GRANT EXECUTE ON FUNCTION pg_backup_start TO \"bob\";")
    }

    @Test func `a password is not printed`() {
        let settings = ConnectionSettings(host: "h", password: PostgresPassword("hunter2"))

        var text = "\(settings) \(String(reflecting: settings))"
        dump(settings, to: &text)

        #expect(!text.contains("hunter2"))
    }
}
