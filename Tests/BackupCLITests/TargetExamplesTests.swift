import BackupCLI
import Foundation
import TestSupport
import Testing

/// The examples in docs/TARGETS.md are configurations that are accepted as they stand.
@Suite struct TargetExamplesTests {
    static let examples: [String] = {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let page = (try? String(contentsOf: root.appending(path: "docs/TARGETS.md"), encoding: .utf8)) ?? ""
        return page.matches(of: /(?s)```ini\n(.*?)```/).map { String($0.1) }
    }()

    @Test func `the page has an example for each kind of place`() {
        #expect(Self.examples.count == 10)
    }

    @Test(arguments: examples)
    func `an example is accepted without a fault or a warning`(example: String) async throws {
        try await withTemporaryFolder { folder in
            let configuration = "[pgmoneta]\nbase_dir = /b\n[primary]\nhost = h\nuser = u\n" + example
            try folder.write(Array(configuration.utf8), to: "p.conf")
            var bench = CommandBench()
            bench.kit = .standard

            let exitCode = await bench.run(try ConfigurationCheckCommand.make(from: ["-c", folder.path("p.conf")]))

            #expect(exitCode == .done)
            #expect(bench.captured.errors.isEmpty, "\(bench.captured.errors)")
        }
    }
}
