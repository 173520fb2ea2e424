import BackupAPI
import Codecs
import TestSupport
import Testing

@testable import BackupEngine

/// The repository format, part by part (docs/FORMAT.md). Each part is a suite in a file of its own.
@Suite struct FormatTests {
    static let cryptography = OpenSSLCryptography()

    /// A record with everything that a record can have.
    static func record(codecs: [BackupRecord.UsedCodec]) throws -> BackupRecord {
        let object = StoredObject(path: "backup.index", bytes: 9, sha512: String(repeating: "a", count: 128))
        return BackupRecord(
            version: "0.1.0", id: "5b1c2a52-8d6e-4f0e-9d2c-1f6f5a3b7c11", server: "primary",
            label: try #require(BackupLabel("20250102030405")), type: .full, parent: nil,
            systemIdentifier: "7450000000000000001", majorVersion: 17, minorVersion: 2, startLSN: "0/2000028",
            endLSN: "0/2000120", checkpointLSN: "0/2000080", startTimeline: 1, endTimeline: 1,
            wal: "000000010000000000000002", walSegmentBytes: 16 << 20, hasDataChecksums: true,
            startedAt: 1_735_787_045, endedAt: 1_735_787_046, elapsedMilliseconds: 1000, backupBytes: 1,
            restoreBytes: 2, biggestFileBytes: 1, fileCount: 2,
            tablespaces: [.init(oid: 16385, location: "/srv/space \"ü\"")], codecs: codecs, frames: .standard,
            manifestChecksums: "CRC32C", manifest: object, index: object)
    }

    /// The first error that `body` throws.
    static func error(_ body: () throws -> Void) -> (any Error)? {
        do {
            try body()
            return nil
        } catch {
            return error
        }
    }
}

extension FormatTests {
    /// Runs `openssl` and takes its output.
    static func openssl(_ arguments: [String], input: [UInt8] = []) throws -> [UInt8] {
        let outcome = try Program.run("/usr/bin/openssl", arguments, input: input)
        #expect(outcome.status == 0, "\(outcome.errorText)")
        return outcome.output
    }
}
