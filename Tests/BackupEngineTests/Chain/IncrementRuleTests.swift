import PostgresClient
import Testing

@testable import BackupEngine
@testable import WALFormat

/// What of a server's files is sent with an incremental backup.
@Suite struct IncrementRuleTests {
    private static let fork = RelationFork(tablespace: 1663, database: 5, relation: 16_384, fork: 0)

    private func file(_ path: String, blocks: Int = 100) -> ServerFile {
        ServerFile(path: path, isFolder: false, byteCount: blocks * 8192, modifiedAt: 0)
    }

    private func increment(
        of file: ServerFile, parentHas: Bool = true, _ change: (inout BlockMap) -> Void = { _ in }
    ) -> IncrementalHeader? {
        var map = BlockMap()
        change(&map)
        return IncrementRule(changes: map, parentPaths: parentHas ? [file.path] : []).increment(of: file)
    }

    @Test func `a relation that did not change is a header`() {
        #expect(increment(of: file("base/5/16384")) == IncrementalHeader(truncationBlockCount: 100, runs: []))
    }

    @Test func `changed blocks are sent, in runs, and those behind the end are not`() {
        let found = increment(of: file("base/5/16384")) {
            for block in [3, 4, 70, 99, 100, 5000] as [UInt32] { $0.mark(Self.fork, block) }
        }
        let runs = [BlockRun(first: 3, count: 2), BlockRun(first: 70, count: 1), BlockRun(first: 99, count: 1)]
        #expect(found == IncrementalHeader(truncationBlockCount: 100, runs: runs))
    }

    @Test func `blocks of a second file count from its beginning`() {
        let found = increment(of: file("base/5/16384.1")) {
            $0.mark(Self.fork, 3)
            $0.mark(Self.fork, 131_072 + 7)
        }
        #expect(found == IncrementalHeader(truncationBlockCount: 100, runs: [BlockRun(first: 7, count: 1)]))
    }

    @Test func `from where a relation was cut all is sent`() {
        let found = increment(of: file("base/5/16384")) {
            $0.mark(Self.fork, 95)
            $0.cut(Self.fork, to: 90)
            $0.mark(Self.fork, 20)
        }
        let runs = [BlockRun(first: 20, count: 1), BlockRun(first: 90, count: 10)]
        #expect(found == IncrementalHeader(truncationBlockCount: 90, runs: runs))
    }

    @Test func `a relation that was made anew, or its database, is sent whole`() {
        #expect(increment(of: file("base/5/16384")) { $0.cut(Self.fork, to: 0) } == nil)
        #expect(increment(of: file("base/5/16384.1")) { $0.cut(Self.fork, to: 131_072) } == nil)
        let database = RelationFork(tablespace: 1663, database: 5, relation: 0, fork: 0)
        #expect(increment(of: file("base/5/16384")) { $0.cut(database, to: 0) } == nil)
    }

    @Test func `with nearly all of its blocks a file is sent whole`() {
        #expect(increment(of: file("base/5/16384")) { map in (0..<90).forEach { map.mark(Self.fork, $0) } } != nil)
        #expect(increment(of: file("base/5/16384")) { map in (0..<91).forEach { map.mark(Self.fork, $0) } } == nil)
    }

    @Test(arguments: [
        "base/5/16384_fsm", "base/5/pg_filenode.map", "base/5/PG_VERSION", "pg_xact/0000", "global/pg_control",
        "base/5/16384.0", "base/5/016384", "base/5/16384_x", "base/5/16384.32767",
    ])
    func `what has no blocks in the log is sent whole`(path: String) {
        #expect(increment(of: file(path)) == nil)
    }

    @Test func `what the parent does not have, or has no whole blocks, is sent whole`() {
        #expect(increment(of: file("base/5/16384"), parentHas: false) == nil)
        #expect(increment(of: file("base/5/16384", blocks: 0)) == nil)
        #expect(
            increment(of: ServerFile(path: "base/5/16384", isFolder: false, byteCount: 8191, modifiedAt: 0)) == nil)
    }

    @Test func `relations are found in every place that has them`() {
        #expect(RelationFile(path: "global/1262")?.fork.tablespace == 1664)
        let vm = RelationFile(path: "pg_tblspc/16385/PG_15_202209061/5/16390_vm.2")
        #expect(vm?.fork == RelationFork(tablespace: 16_385, database: 5, relation: 16_390, fork: 2))
        #expect(vm?.segment == 2)
    }

    @Test func `files are left out that PostgreSQL's own base backup leaves out`() {
        func folder(_ path: String) -> ServerFile {
            ServerFile(path: path, isFolder: true, byteCount: 0, modifiedAt: 0)
        }
        let listing =
            [folder("base"), folder("base/5")]
            + [
                "16384", "16400", "16400_fsm", "16400_init", "16400_vm.1", "pg_internal.init.77", "t3_16500",
                "t3_16500_vm",
            ]
            .map { file("base/5/\($0)") }
            + [folder("base/pgsql_tmp"), file("base/pgsql_tmp/pgsql_tmp12.0"), file("backup_label.old")]
            + ["backup_label", "postmaster.pid", "postmaster.opts", "postgresql.auto.conf.tmp", "tablespace_map"].map {
                file($0)
            }
            + [file("global/pg_control"), folder("pg_tblspc"), folder("pg_tblspc/16385")]
            + [folder("pg_tblspc/16385/PG_14_1"), file("pg_tblspc/16385/PG_14_1/5")]
            + [
                folder("pg_tblspc/16385/PG_15_2"), folder("pg_tblspc/16385/PG_15_2/5"),
                file("pg_tblspc/16385/PG_15_2/5/16386"),
                folder("pg_tblspc/16999"), folder("pg_tblspc/16999/PG_15_2"), file("pg_tblspc/16999/PG_15_2/5"),
            ]

        let kept = DataDirectory(listing, versionFolder: "PG_15_2", tablespaces: ["16385"]).files.map(\.path)

        #expect(
            kept == [
                "base", "base/5", "base/5/16384", "base/5/16400_init", "backup_label.old", "pg_tblspc",
                "pg_tblspc/16385",
                "pg_tblspc/16385/PG_15_2", "pg_tblspc/16385/PG_15_2/5", "pg_tblspc/16385/PG_15_2/5/16386",
                "global/pg_control",
            ])
    }
}
