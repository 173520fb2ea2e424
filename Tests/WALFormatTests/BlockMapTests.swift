import Foundation
import TestSupport
import Testing

@testable import WALFormat

/// What we read from the log, compared with what PostgreSQL's own summaries say of the same stretch.
@Suite struct BlockMapTests {
    private static let workload = """
        CREATE TABLE t (i int PRIMARY KEY, x text); CREATE INDEX ON t USING hash (x); CREATE UNLOGGED TABLE u (i int);
        INSERT INTO t SELECT i, repeat(md5(i::text), 8) FROM generate_series(1, 30000) i; INSERT INTO u VALUES (1);
        DELETE FROM t WHERE i % 7 = 0; UPDATE t SET x = 'short' WHERE i % 11 = 0;
        CREATE TABLE gone AS SELECT * FROM t; TRUNCATE gone; INSERT INTO gone SELECT * FROM t LIMIT 500; DROP TABLE gone;
        BEGIN; CREATE TABLE never (i int); INSERT INTO never VALUES (1); SAVEPOINT s; INSERT INTO never VALUES (2); ROLLBACK;
        SELECT pg_logical_emit_message(true, 'large', repeat('x', 100000)); CREATE SEQUENCE q; SELECT nextval('q');
        """

    @Test(arguments: [17, 18])
    func `the log says what PostgreSQL's summaries say`(major: Int) throws {
        let cluster = try PostgresCluster.start(
            major, settings: ["summarize_wal": "on", "autovacuum": "off", "wal_keep_size": "1GB"],
            initdbArguments: ["--wal-segsize=1", "--data-checksums"])
        try cluster.psql(Self.workload)
        for statement in [
            "VACUUM FREEZE t", "DELETE FROM t WHERE i > 20000", "VACUUM t", "VACUUM FULL t", "CHECKPOINT",
            "CREATE DATABASE one STRATEGY wal_log", "CREATE DATABASE two STRATEGY file_copy", "DROP DATABASE one",
            "INSERT INTO t SELECT i, 'x' FROM generate_series(100000, 120000) i", "CHECKPOINT",
            "SELECT pg_logical_emit_message(false, 'end', 'x')", "CHECKPOINT",
        ] {
            try cluster.psql(statement)
        }
        try cluster.waitUntil(
            "SELECT max(end_lsn) >= (SELECT redo_lsn FROM pg_control_checkpoint()) FROM pg_available_wal_summaries()")

        let summaries = try cluster.psql(
            "SELECT start_lsn - '0/0'::pg_lsn, end_lsn - '0/0'::pg_lsn, start_lsn, end_lsn FROM pg_available_wal_summaries() ORDER BY 1"
        )
        var compared = 0
        for line in summaries.split(separator: "\n") {
            let parts = line.split(separator: "|")
            let (start, end) = (try #require(UInt64(parts[0])), try #require(UInt64(parts[1])))
            let rows = try cluster.psql(
                """
                SELECT reltablespace, reldatabase, relfilenode, relforknumber, relblocknumber, is_limit_block
                FROM pg_wal_summary_contents(1, '\(parts[2])', '\(parts[3])')
                """)
            var expected: Set<String> = []
            for row in rows.split(separator: "\n") { expected.insert(String(row)) }

            let map = try Self.read(cluster, start..<end)

            let found = Self.rows(of: map)
            #expect(expected.subtracting(found).isEmpty, "\(line)")
            // Beyond PostgreSQL's: blocks of visibility maps, which records of heaps change without a word.
            let extra = found.subtracting(expected).filter { $0.split(separator: "|")[3] != "2" }
            #expect(extra.isEmpty, "\(line)")
            compared += expected.count
        }
        #expect(compared > 1000)
    }

    @Test(arguments: [14, 15, 16])
    func `a log with changed bytes is an error or another map, and never more`(major: Int) throws {
        let cluster = try PostgresCluster.start(
            major, settings: ["autovacuum": "off", "wal_keep_size": "1GB"], initdbArguments: ["--wal-segsize=1"])
        let name = try cluster.psql("SELECT pg_walfile_name(pg_current_wal_lsn())")
        try cluster.psql(Self.workload)
        try cluster.psql("CREATE DATABASE one")
        try cluster.psql("DROP DATABASE one")
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: "\(cluster.dataFolder)/pg_wal/\(name)")))
        let whole = try Self.read(bytes)
        #expect(!whole.changed.isEmpty)

        var numbers = SeededNumbers(seed: 11)
        var errorCount = 0
        for _ in 0..<300 {
            var changed = bytes
            for _ in 0..<Int.random(in: 1...20, using: &numbers) {
                let place = Int.random(in: 0..<changed.count, using: &numbers)
                changed[place] = UInt8.random(in: .min ... .max, using: &numbers)
            }
            do {
                _ = try Self.read(changed)
            } catch is WALFormatError {
                errorCount += 1
            }
        }
        #expect(errorCount > 10)
    }

    /// Blocks from a limit on do not count: they are new whatever the map says of them.
    @Test func `the map of a stretch is that of its parts put together, wherever it is divided`() {
        let fork = RelationFork(tablespace: 1663, database: 5, relation: 16384, fork: 0)
        var numbers = SeededNumbers(seed: 5)
        for _ in 0..<300 {
            let changes = (0..<40).map { _ in
                (
                    isCut: Int.random(in: 0..<6, using: &numbers) == 0,
                    block: UInt32.random(in: 0..<9000, using: &numbers)
                )
            }
            func map(_ part: some Sequence<(isCut: Bool, block: UInt32)>) -> BlockMap {
                var map = BlockMap()
                for change in part {
                    if change.isCut { map.cut(fork, to: change.block) } else { map.mark(fork, change.block) }
                }
                return map
            }
            let border = Int.random(in: 0...changes.count, using: &numbers)
            let whole = map(changes)[fork]
            var merged = map(changes[..<border])

            merged.merge(map(changes[border...]))

            let limit = whole?.limit
            #expect(merged[fork]?.limit == limit)
            #expect(merged[fork]?.runs(in: 0..<(limit ?? .max)) == whole?.runs(in: 0..<(limit ?? .max)))
        }
    }

    @Test func `the checkpoints at both ends of a stretch are found`() throws {
        let cluster = try PostgresCluster.start(
            15, settings: ["autovacuum": "off", "wal_keep_size": "1GB"], initdbArguments: ["--wal-segsize=1"])
        let query = "SELECT redo_lsn - '0/0', checkpoint_lsn - '0/0' FROM pg_control_checkpoint()"
        func checkpoint() throws -> (redo: UInt64, position: UInt64) {
            try cluster.psql("CHECKPOINT")
            let parts = try cluster.psql(query).split(separator: "|")
            return (try #require(UInt64(parts[0])), try #require(UInt64(parts[1])))
        }
        try cluster.psql("SELECT pg_switch_wal()")
        let first = try checkpoint()
        try cluster.psql("CREATE TABLE t AS SELECT generate_series(1, 1000) i")
        let last = try checkpoint()
        try cluster.psql("CREATE TABLE u AS SELECT generate_series(1, 1000) i")
        try cluster.psql("SELECT pg_switch_wal()")
        let name = try cluster.psql("SELECT pg_walfile_name('0/0'::pg_lsn + \(first.redo))")
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: "\(cluster.dataFolder)/pg_wal/\(name)")))

        let reader = try Self.reader(bytes, first.redo..<last.redo)

        #expect(reader.beginning?.position == first.position)
        #expect(reader.ending?.position == last.position)
        #expect(reader.beginning?.checksum != reader.ending?.checksum)
        #expect(try Self.reader(bytes, first.redo + 8..<last.redo).beginning == nil)
    }

    private static func read(_ bytes: [UInt8]) throws -> BlockMap { try reader(bytes, 0..<UInt64.max).map }

    private static func reader(_ bytes: [UInt8], _ range: Range<UInt64>) throws -> BlockMapReader {
        var reader = BlockMapReader(range: range)
        for start in stride(from: 0, to: bytes.count, by: WALPageHeader.pageByteCount) {
            try unsafe bytes.withUnsafeBytes {
                try unsafe reader.consume(
                    page: UnsafeRawBufferPointer(rebasing: $0[start..<start + WALPageHeader.pageByteCount]))
            }
        }
        return reader
    }

    /// Reads the segments of `pg_wal` that hold a stretch of the log.
    private static func read(_ cluster: PostgresCluster, _ range: Range<UInt64>) throws -> BlockMap {
        var reader = BlockMapReader(range: range)
        let size: UInt64 = 1 << 20
        for number in range.lowerBound / size...(range.upperBound - 1) / size {
            let name = try cluster.psql("SELECT pg_walfile_name('0/0'::pg_lsn + \(number * size + 1))")
            let bytes = [UInt8](try Data(contentsOf: URL(filePath: "\(cluster.dataFolder)/pg_wal/\(name)")))
            for start in stride(from: 0, to: bytes.count, by: WALPageHeader.pageByteCount) {
                guard number * size + UInt64(start) < range.upperBound else { break }
                let last = min(WALPageHeader.pageByteCount, Int(range.upperBound - number * size) - start)
                let page = Array(bytes[start..<start + last])
                try unsafe page.withUnsafeBytes { try unsafe reader.consume(page: $0) }
            }
        }
        return reader.map
    }

    private static func rows(of map: BlockMap) -> Set<String> {
        var rows: Set<String> = []
        for fork in map.changed {
            let place = "\(fork.tablespace)|\(fork.database)|\(fork.relation)|\(fork.fork)"
            guard let changes = map[fork] else { continue }
            if let limit = changes.limit { rows.insert("\(place)|\(limit)|t") }
            for run in changes.runs(in: 0..<UInt32.max) {
                for block in run.first..<run.end { rows.insert("\(place)|\(block)|f") }
            }
        }
        return rows
    }
}
