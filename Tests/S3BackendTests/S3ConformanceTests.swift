import BackupAPI
import BackupConformance
import Testing

@testable import S3Backend

/// The laws of `StorageBackend` on a real server.
struct S3ConformanceTests {
    @Test(arguments: [true, false])
    func `a bucket keeps every law, over https and over http`(isEncrypted: Bool) async throws {
        let server = try await SeaweedServer.shared()
        var options = BackendConformance.Options()
        options.largestByteCount = 12 << 20
        options.checksThousands = isEncrypted
        options.secrets = [Secret(SeaweedServer.secret)]

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
}
