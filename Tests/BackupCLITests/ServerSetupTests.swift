import BackupCLI
import Testing

@Suite struct ServerSetupTests {
    private func setup(_ version: Int, role: String = "repl", slot: String? = nil) -> ServerSetup {
        ServerSetup(
            postgresMajorVersion: version, role: role, server: "primary", host: "db", clientAddress: "10.0.0.5/32",
            baseDirectory: "/b", slot: slot)
    }

    @Test(arguments: [17, 18])
    func `from 17 on, REPLICATION is all that is granted`(version: Int) {
        let sql = setup(version).sql

        #expect(sql.contains("CREATE ROLE \"repl\" LOGIN REPLICATION;"))
        #expect(sql.contains("summarize_wal = on"))
        #expect(!sql.contains("GRANT"))
    }

    @Test(arguments: [(14, "pg_start_backup"), (15, "pg_backup_start"), (16, "pg_backup_start")])
    func `before 17, the functions that read blocks are granted, and no role`(version: Int, start: String) {
        let sql = setup(version).sql

        let grants = sql.split(separator: "\n").filter { $0.hasPrefix("GRANT ") }
        #expect(grants.count == 5)
        #expect(grants.allSatisfy { $0.hasPrefix("GRANT EXECUTE ON FUNCTION pg_catalog.pg_") })
        #expect(grants.allSatisfy { $0.hasSuffix(" TO \"repl\";") })
        #expect(sql.contains(start))
        #expect(!sql.contains("summarize_wal"))
    }

    @Test func `a slot is made only when it is asked for`() {
        let made = setup(17, slot: "it's").sql
        #expect(made.contains("\nSELECT pg_create_physical_replication_slot('it''s', true)\n"))
        #expect(!setup(17).sql.contains("\nSELECT pg_create_physical_replication_slot"))
        #expect(!setup(17, slot: "s").configuration.contains("wal_slot"))
    }

    @Test func `names are quoted where they must be`() {
        #expect(setup(15, role: #"We"ird"#).sql.contains(#"TO "We""ird";"#))
        #expect(setup(15, role: "Weird").hba.contains(#"  "Weird"  "#))
        #expect(setup(15).hba.contains("host    replication     repl    10.0.0.5/32    scram-sha-256\n"))
    }
}
