import TestSupport

extension PostgresCluster {
    /// Runs a program of PostgreSQL that connects to this server, to its end.
    func run(_ name: String, _ arguments: String...) throws -> ProgramOutcome {
        try start(name, arguments).finish()
    }

    /// Starts a program of PostgreSQL that connects to this server.
    func start(_ name: String, _ arguments: String...) throws -> RunningProgram { try start(name, arguments) }

    /// Starts a session that inserts rows into a table `t` and commits, again and again, until it is ended.
    func startInserting() throws -> RunningProgram {
        try psql("CREATE TABLE t (i int, s text)")
        let statement = """
            DO $$ BEGIN FOR n IN 1..1000000 LOOP
              INSERT INTO t SELECT n, repeat(md5(i::text), 9) FROM generate_series(1, 20) i;
              COMMIT; PERFORM pg_sleep(0.004);
            END LOOP; END $$
            """
        return try start("psql", "-d", "postgres", "-qc", statement)
    }

    /// Ends the current segment of the log, which gets a record first: one without is not switched.
    /// - Returns: its name.
    @discardableResult
    func endSegment() throws -> String {
        let statements = "SELECT pg_walfile_name(pg_logical_emit_message(false, 'test', 'x')); SELECT pg_switch_wal()"
        return String(try psql(statements).split(separator: "\n")[0])
    }

    private func start(_ name: String, _ arguments: [String]) throws -> RunningProgram {
        try Program.start(bin(name), ["-h", socketFolder, "-p", "\(port)", "-U", superuser] + arguments)
    }
}
