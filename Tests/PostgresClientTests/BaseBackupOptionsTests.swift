import Testing

@testable import PostgresClient

@Suite struct BaseBackupOptionsTests {
    private let old = ServerVersion(major: 14, minor: 4)
    private let new = ServerVersion(major: 17, minor: 1)

    @Test func `before version 15 options are bare words`() {
        let options = BaseBackupOptions(
            label: "it's", maxRateInKilobytesPerSecond: 500, manifestChecksums: "SHA256", tablespaceMap: true,
            verifyChecksums: false)

        #expect(
            options.command(for: old)
                == "BASE_BACKUP LABEL 'it''s' PROGRESS FAST NOWAIT MAX_RATE 500 TABLESPACE_MAP NOVERIFY_CHECKSUMS "
                + "MANIFEST 'yes' MANIFEST_CHECKSUMS 'SHA256'")
    }

    @Test func `from version 15 on options are a list`() {
        let options = BaseBackupOptions(
            label: "b", includeWAL: true, serverCompression: .init(method: "zstd", level: 3, workers: 2),
            incremental: true, verifyChecksums: false)

        #expect(
            options.command(for: new)
                == "BASE_BACKUP (LABEL 'b', PROGRESS, CHECKPOINT 'fast', WAL, WAIT 0, VERIFY_CHECKSUMS 0, MANIFEST 'yes', "
                + "MANIFEST_CHECKSUMS 'CRC32C', INCREMENTAL, COMPRESSION 'zstd', COMPRESSION_DETAIL 'level=3,workers=2')"
        )
    }

    @Test func `what is not wanted is not asked for`() {
        let options = BaseBackupOptions(
            label: "b", fastCheckpoint: false, progress: false, manifestChecksums: nil, waitForArchive: true)

        #expect(options.command(for: old) == "BASE_BACKUP LABEL 'b'")
        #expect(options.command(for: new) == "BASE_BACKUP (LABEL 'b')")
    }

    @Test func `what a version cannot do is refused before it is asked`() {
        #expect(BaseBackupOptions(label: "b", incremental: true).fault(for: old) != nil)
        #expect(BaseBackupOptions(label: "b", serverCompression: .init(method: "gzip")).fault(for: old) != nil)
        #expect(BaseBackupOptions(label: "b", incremental: true).fault(for: new) == nil)
    }
}
