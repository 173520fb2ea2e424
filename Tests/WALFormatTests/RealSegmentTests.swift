import Foundation
import TestSupport
import Testing

@testable import WALFormat

/// What PostgreSQL itself wrote, compared with what it says about it.
@Suite struct RealSegmentTests {
    @Test(arguments: PostgresVersions.supported)
    func `a segment of a real server tells what the server knows`(major: Int) throws {
        let cluster = try PostgresCluster.start(
            major, settings: ["track_commit_timestamp": "on", "autovacuum": "off"],
            initdbArguments: ["--wal-segsize=1"])
        try cluster.psql("CREATE TABLE t (i int, x text); SELECT pg_switch_wal()")
        for round in 0..<5 { try cluster.psql("INSERT INTO t SELECT \(round), repeat('x', 3000)") }
        let name = try cluster.psql("SELECT pg_walfile_name(pg_create_restore_point('first'))")
        try cluster.psql("SELECT pg_create_restore_point('ünd')")
        let time = try cluster.psql(
            "SELECT (extract(epoch FROM max(pg_xact_commit_timestamp(xmin))) * 1000000)::bigint FROM t")
        let end = try cluster.psql("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
        let system = try cluster.psql("SELECT system_identifier FROM pg_control_system()")
        try cluster.psql("SELECT pg_switch_wal()")

        let bytes = [UInt8](try Data(contentsOf: URL(filePath: "\(cluster.dataFolder)/pg_wal/\(name)")))
        var reader = WALSegmentReader()
        for start in stride(from: 0, to: bytes.count, by: WALPageHeader.pageByteCount) {
            let page = Array(bytes[start..<start + WALPageHeader.pageByteCount])
            try unsafe page.withUnsafeBytes { try unsafe reader.consume(page: $0) }
        }

        let header = try #require(reader.header)
        #expect(header.majorVersion == major)
        #expect(header.segment == .init(systemIdentifier: try #require(UInt64(system)), byteCount: 1 << 20))
        #expect(reader.lastTransactionAt == Int64(time))
        #expect(reader.restorePoints == ["first", "ünd"])
        // The last record is the switch to the next segment, or one that the server wrote by itself before it.
        #expect(try #require(reader.lastRecord) >= #require(UInt64(end)))
        #expect(try #require(reader.lastRecord) < header.address + 1 << 20)
    }
}
