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

    /// Also where the header of a record goes on on the next page, or in the next segment.
    @Test func `the checksum of each record stands where it is looked for`() throws {
        let cluster = try PostgresCluster.start(
            16, settings: ["autovacuum": "off", "wal_keep_size": "64MB"], initdbArguments: ["--wal-segsize=1"])
        let first = try cluster.psql("SELECT pg_walfile_name(pg_switch_wal())")
        try cluster.psql("CREATE TABLE t AS SELECT i, repeat('x', i % 40) FROM generate_series(1, 60000) i")
        let last = try cluster.psql("SELECT pg_walfile_name(pg_current_wal_lsn())")
        let folder = "\(cluster.dataFolder)/pg_wal"
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0 > first && $0 < last }
            .sorted()
        let log = try names.flatMap { [UInt8](try Data(contentsOf: URL(filePath: "\(folder)/\($0)"))) }

        var reader = WALRecordReader()
        var begin: UInt64?
        var crossingCount = 0
        for start in stride(from: 0, to: log.count, by: WALPageHeader.pageByteCount) {
            let page = Array(log[start..<start + WALPageHeader.pageByteCount])
            try unsafe page.withUnsafeBytes { page in
                if begin == nil { begin = try unsafe WALPageHeader(page).address }
                try unsafe reader.consume(page: page) { record in
                    let stands = WALRecord.checksumPosition(ofRecordAt: record.position, segmentByteCount: 1 << 20)
                    if stands != record.position + 20 { crossingCount += 1 }
                    let offset = Int(stands - (begin ?? 0))
                    let found = log[offset..<offset + 4].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
                    #expect(found == (try? record.checksum()), "\(record.position)")
                }
            }
        }
        #expect(names.count >= 3)
        #expect(crossingCount > 20)
    }
}
