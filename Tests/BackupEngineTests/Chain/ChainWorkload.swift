import TestSupport

/// What happens in a cluster between two backups, by chance but the same for the same seed.
struct ChainWorkload {
    private let cluster: PostgresCluster
    private var numbers: SeededNumbers
    private var tables = ["t0", "t1"]
    private var databases: [String] = []
    private var tablespaces: [String] = []
    private var made = 2

    init(_ cluster: PostgresCluster, seed: UInt64) throws {
        self.cluster = cluster
        numbers = SeededNumbers(seed: seed)
        for table in tables { try create(table) }
    }

    /// A number below `limit`.
    mutating func number(below limit: Int) -> Int { Int.random(in: 0..<limit, using: &numbers) }

    /// Does a few things.
    mutating func run() throws {
        for _ in 0..<(1 + number(below: 5)) { try step() }
        if number(below: 3) == 0 { try cluster.psql("CHECKPOINT") }
    }

    private mutating func step() throws {
        let table = tables[number(below: tables.count)]
        let low = number(below: 4000)
        switch number(below: 14) {
        case 0:
            try cluster.psql("INSERT INTO \(table) SELECT i, repeat(md5(i::text), 8) FROM generate_series(1, 3000) i")
        case 1: try cluster.psql("UPDATE \(table) SET t = md5(t) WHERE i BETWEEN \(low) AND \(low + 50)")
        case 2: try cluster.psql("DELETE FROM \(table) WHERE i > \(low)")
        case 3: try cluster.psql("DELETE FROM \(table) WHERE i > \(low)", then: "VACUUM \(table)")
        case 4: try cluster.psql("VACUUM FULL \(table)")
        case 5: try cluster.psql("TRUNCATE \(table)")
        case 6: try cluster.psql("BEGIN; TRUNCATE \(table); INSERT INTO \(table) VALUES (1, 'one'); COMMIT")
        case 7:
            tables.append("t\(made)")
            made += 1
            try create(tables[tables.count - 1])
        case 8 where tables.count > 1:
            try cluster.psql("DROP TABLE \(table)")
            tables.removeAll { $0 == table }
        case 9 where databases.count < 2:
            databases.append("d\(made)")
            made += 1
            let strategy = number(below: 2) == 0 ? "wal_log" : "file_copy"
            // Before version 15 all were copied file by file.
            let choice = cluster.major >= 15 ? " STRATEGY \(strategy)" : ""
            try cluster.psql("CREATE DATABASE \(databases[databases.count - 1])\(choice)")
        case 10 where !databases.isEmpty: try cluster.psql("DROP DATABASE \(databases.removeLast())")
        case 11 where tablespaces.count < 2: try makeTablespace()
        case 12 where !tablespaces.isEmpty:
            try cluster.psql("ALTER TABLE \(table) SET TABLESPACE \(tablespaces[number(below: tablespaces.count)])")
        case 13: try cluster.psql("CREATE INDEX ON \(table) (i); CLUSTER \(table) USING \(table)_pkey")
        default: try cluster.psql("UPDATE \(table) SET t = 'x' || t WHERE i % 500 = 0")
        }
    }

    private func create(_ table: String) throws {
        try cluster.psql(
            """
            CREATE TABLE \(table) (n bigserial PRIMARY KEY, i int, t text);
            ALTER TABLE \(table) DROP COLUMN n;
            ALTER TABLE \(table) ADD COLUMN n bigserial PRIMARY KEY;
            INSERT INTO \(table) SELECT i, repeat(md5(i::text), 8) FROM generate_series(1, 5000) i;
            """)
    }

    private mutating func makeTablespace() throws {
        let name = "s\(made)"
        made += 1
        let path = cluster.socketFolder + "/" + name
        try cluster.psql("COPY (SELECT 1) TO PROGRAM 'cat > /dev/null; mkdir \(path)'")
        try cluster.psql("CREATE TABLESPACE \(name) LOCATION '\(path)'")
        tablespaces.append(name)
    }

    /// What all rows of all databases hash to.
    static func fingerprint(_ cluster: PostgresCluster) throws -> [String] {
        let databases = try cluster.psql("SELECT datname FROM pg_database WHERE datallowconn ORDER BY 1")
        return try databases.split(separator: "\n").map { database in
            let hashes = try cluster.psql(
                """
                CREATE FUNCTION pg_temp.hash(name text) RETURNS text LANGUAGE plpgsql AS $$
                DECLARE result text;
                BEGIN
                    EXECUTE format(
                        'SELECT count(*) || '' '' || md5(string_agg(t::text, '','' ORDER BY t::text)) FROM %I t', name)
                        INTO result;
                    RETURN result;
                END $$;
                SELECT relname, pg_temp.hash(relname) FROM pg_class
                WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1;
                """, database: String(database))
            return "\(database): \(hashes)"
        }
    }
}

extension PostgresCluster {
    /// Runs a statement, then one that may not be in a transaction with it.
    fileprivate func psql(_ first: String, then second: String) throws {
        try psql(first)
        try psql(second)
    }
}
