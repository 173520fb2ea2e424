import Foundation
import TestSupport
import Testing

/// A cluster with what a backup can lose: tablespaces, names that need quotes, a large object, empty and unlogged files.
struct Landscape {
    static let database = #"Ünï "q" db"#
    let cluster: PostgresCluster
    /// Where the tablespaces stand.
    let tablespaces: [String]

    init(_ major: Int) throws {
        cluster = try PostgresCluster.start(major, settings: ["autovacuum": "off", "wal_keep_size": "1GB"])
        tablespaces = [cluster.socketFolder + "/one", cluster.socketFolder + "/two"]
        for (name, path) in zip(["one", "two"], tablespaces) {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            try Owner(of: cluster.dataFolder).own(path)
            try cluster.psql("CREATE TABLESPACE \(name) LOCATION '\(path)'")
        }
        try cluster.psql(
            """
            CREATE TABLE plain AS SELECT i, md5(i::text) t FROM generate_series(1, 20000) i;
            CREATE INDEX ON plain (t) TABLESPACE two;
            CREATE TABLE aside (i int, t text) TABLESPACE one;
            INSERT INTO aside SELECT i, repeat(i::text, 400) FROM generate_series(1, 500) i;
            CREATE TABLE nothing (i int);
            CREATE UNLOGGED TABLE fleeting AS SELECT i FROM generate_series(1, 1000) i;
            SELECT lo_from_bytea(4711, convert_to(repeat('large', 100000), 'UTF8'));
            CREATE DATABASE "Ünï ""q"" db" TEMPLATE template0;
            """)
        try cluster.psql(
            "CREATE TABLE far TABLESPACE two AS SELECT i, -i AS j FROM generate_series(1, 3000) i",
            database: Self.database)
    }

    /// The file of a table, as an absolute path.
    func file(of table: String) throws -> String {
        try cluster.dataFolder + "/" + cluster.psql("SELECT pg_relation_filepath('\(table)')")
    }

    /// Makes the table `big` longer than a gigabyte, so that it has a second file: with pages that were never used, which cost
    /// nothing to write, and rows behind them.
    func addBigTable() throws {
        try cluster.psql("CREATE TABLE big AS SELECT 1 AS i; CHECKPOINT")
        let file = try file(of: "big")
        try cluster.stop()
        for (path, byteCount) in [(file, 1 << 30), (file + ".1", 64 << 10)] {
            let descriptor = unsafe open(path, O_WRONLY | O_CREAT, 0o600)
            try #require(descriptor >= 0 && ftruncate(descriptor, byteCount) == 0)
            close(descriptor)
            try Owner(of: cluster.dataFolder).own(path)
        }
        try cluster.start()
        try cluster.psql("INSERT INTO big SELECT generate_series(2, 1000)")
        try #require(try cluster.psql("SELECT max(ctid) > '(131072,0)' FROM big") == "t")
    }

    /// What all rows hash to.
    static func fingerprint(_ cluster: PostgresCluster, hasBigTable: Bool) throws -> [String] {
        func hash(_ table: String, _ database: String) throws -> String {
            try cluster.psql(
                "SELECT count(*), md5(string_agg(t::text, ',' ORDER BY i)) FROM \(table) t", database: database)
        }
        let tables = ["plain", "aside", "nothing"] + (hasBigTable ? ["big"] : [])
        return try tables.map { try hash($0, "postgres") } + [
            hash("far", database), cluster.psql("SELECT md5(lo_get(4711))"),
        ]
    }
}

/// Who owns a file, to make others his.
struct Owner {
    private let user: uid_t
    private let group: gid_t

    init(of path: String) throws {
        var status = stat()
        try #require(unsafe stat(path, &status) == 0)
        (user, group) = (status.st_uid, status.st_gid)
    }

    func own(_ path: String) throws { try #require(unsafe chown(path, user, group) == 0) }
}
