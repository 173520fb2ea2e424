import BackupAPI
import BackupConformance
import TestSupport
import Testing

@testable import S3Backend

/// The laws of `StorageBackend` on real servers.
struct S3ConformanceTests {
    @Test(arguments: [true, false])
    func `a bucket keeps every law, over https and over http`(isEncrypted: Bool) async throws {
        let server = try SeaweedServer.shared()
        var options = BackendConformance.Options()
        options.largestByteCount = 12 << 20
        options.checksThousands = isEncrypted
        options.secrets = [Secret(SeaweedServer.secret)]
        // This server takes '\' for '/'; the names are checked below.
        options.laws.remove(.namesAreKept)

        let report = await BackendConformance(
            makeBackend: {
                try await server.backend(
                    prefix: "conformance-\(isEncrypted)", isEncrypted: isEncrypted, changes: ["part_size": "5M"])
            }, prefix: "some/prefix", options: options
        ).run()

        #expect(report.isConforming, "\(report)")
        // A server of one's own promises nothing about power cuts; all else is claimed.
        for finding in report.findings where finding.law != BackendLaw.commitIsDurable.rawValue {
            #expect(finding.outcome == .passed, "\(finding)")
        }
    }

    @Test func `a server without create-only writes and ranges keeps the laws of writing and reading`() async throws {
        let server = try RcloneServer.shared()
        var options = BackendConformance.Options()
        options.largestByteCount = 12 << 20
        // Of the other laws this server itself breaks some: it deletes no key that is also a folder's name, and for a moment it may not
        // know an object that was written while others came into the same folder.
        options.laws = [
            .roundTrip, .commitIsAtomic, .readAfterWrite, .replaceIsWhole, .ifAbsentIsHonest, .cancelLeavesNothing,
            .listIsOrdered, .listHidesTemporaries, .sweepIsCareful, .noSecretIsPrinted,
        ]

        let report = await BackendConformance(
            makeBackend: { try await server.backend(prefix: "conformance", changes: ["part_size": "5M"]) },
            prefix: "some/prefix", options: options
        ).run()

        #expect(report.isConforming, "\(report)")
        guard case .notClaimed = report.outcome(of: .ifAbsentIsHonest) else {
            Issue.record("\(report)")
            return
        }
    }
}
