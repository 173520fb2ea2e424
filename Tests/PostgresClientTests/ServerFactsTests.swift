import Testing

@testable import PostgresClient

@Suite struct ServerFactsTests {
    @Test func `every obstacle is found`() {
        let facts = ServerFacts(
            server: "db", user: "bob", version: ServerVersion(number: 170001), systemIdentifier: SystemIdentifier(1),
            walLevel: "replica", maximumWALSenders: 10, usedWALSenders: 0, canReplicate: true, hasDataChecksums: true,
            segmentSize: .standard, blockByteCount: 8192, isInRecovery: false, summarizesWAL: true)
        func reasons(_ change: (inout ServerFacts) -> Void, incremental: Bool = false) -> [PostgresError.Reason] {
            var changed = facts
            change(&changed)
            return changed.obstacles(incremental: incremental).map(\.reason)
        }

        #expect(reasons({ _ in }, incremental: true) == [])
        #expect(reasons({ $0.version = ServerVersion(number: 130012) }) == [.unsupportedVersion])
        #expect(reasons({ $0.walLevel = "minimal" }) == [.walLevel])
        #expect(reasons({ $0.maximumWALSenders = 0 }) == [.walLevel])
        #expect(reasons({ $0.usedWALSenders = 9 }) == [.tooManyConnections])
        #expect(reasons({ $0.canReplicate = false }) == [.permission])
        #expect(reasons({ $0.summarizesWAL = false }) == [])
        #expect(reasons({ $0.summarizesWAL = false }, incremental: true) == [.summariesMissing])
    }
}
