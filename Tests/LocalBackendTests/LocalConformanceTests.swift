import BackupAPI
import BackupConformance
import LocalBackend
import TestSupport
import Testing

struct LocalConformanceTests {
    @Test func `a directory keeps every law`() async throws {
        let folder = try TemporaryFolder()
        let root = folder.path("root")
        var options = BackendConformance.Options()
        options.checksThousands = true

        let report = await BackendConformance(
            makeBackend: { LocalBackend(path: root) }, prefix: "some/prefix", options: options
        ).run()

        #expect(report.isConforming, "\(report)")
        #expect(report.findings.allSatisfy { $0.outcome == .passed }, "\(report)")
        #expect(try folder.tree() == ["root/"])
    }
}
