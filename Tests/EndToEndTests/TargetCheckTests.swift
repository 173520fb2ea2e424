import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// `target check` on live places.
    @Suite struct TargetCheckTests {
        private let cluster: PostgresCluster
        private let places: Places

        init() throws {
            cluster = try PostgresCluster.start(17)
            places = try Places()
        }

        @Test(arguments: PlaceKind.allCases)
        func `a check tells latency, throughput, capabilities and clock, and leaves nothing`(kind: PlaceKind) throws {
            let installation = try Installation(cluster, general: places.lines())

            let outcome = try installation.run("target", "check", kind.rawValue, "-F", "json")

            let reply = try JSONReply(outcome)
            let broken = try reply.list("Response", "Checks").filter { $0.keys.contains("Fault") }.map {
                try $0.text("Law")
            }
            // SeaweedFS takes '\' for '/', and the target says so instead of losing an object.
            #expect(broken == (kind == .s3 ? ["names-are-kept"] : []), "\(outcome.text)")
            #expect(outcome.status == (kind == .s3 ? 1 : 0))
            #expect(try reply.number("Response", "LatencyMicroseconds") > 0)
            #expect(try reply.number("Response", "WritePerSecond") > 1_000_000)
            #expect(try reply.number("Response", "ReadPerSecond") > 1_000_000)
            #expect(try reply.number("Response", "ClockSkewSeconds") == 0)
            #expect(reply.keys.contains("Response/FreeSpace") == (kind != .s3))
            #expect(try reply.number("Response", "Capabilities", "Concurrency") == 4)
            #expect(
                try reply.text("Response", "Capabilities", "Durability") == (kind == .s3 ? "unknown" : "durable"))
            try places.download(kind, of: installation, to: installation.folder.path("left"))
            let left = try FolderDigest.lines(installation.folder.path("left"), hasModes: false)
            #expect(left.filter { $0.hasPrefix("f ") } == [])
        }
    }
}
