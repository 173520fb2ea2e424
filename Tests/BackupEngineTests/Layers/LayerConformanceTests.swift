import BackupConformance
import LocalBackend
import TestSupport
import Testing

@Suite struct LayerConformanceTests {
    /// The largest object is more than what the layers keep of one.
    private static var options: BackendConformance.Options {
        var options = BackendConformance.Options()
        options.largestByteCount = (2 << 20) + 1
        return options
    }

    @Test(arguments: LayerChoice.allCases)
    func `a layer keeps every law over memory`(layer: LayerChoice) async throws {
        let memory = MemoryBackend()

        let report = await BackendConformance(
            makeBackend: { layer.wrap(memory) }, prefix: "p", options: Self.options
        ).run()

        #expect(report.isConforming, "\(report)")
        #expect(memory.keys.isEmpty)
        #expect(memory.unfinishedCount == 0)
    }

    @Test(arguments: LayerChoice.allCases)
    func `a layer keeps every law over a directory`(layer: LayerChoice) async throws {
        let folder = try TemporaryFolder()
        let root = folder.path("root")
        var options = Self.options
        options.checksThousands = layer == .all

        let report = await BackendConformance(
            makeBackend: { layer.wrap(LocalBackend(path: root)) }, prefix: "p", options: options
        ).run()

        #expect(report.isConforming, "\(report)")
        #expect(report.findings.allSatisfy { $0.outcome == .passed }, "\(report)")
        #expect(try folder.tree() == ["root/"])
    }
}
