import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// A backup of a server that is written to all the time is the server at one moment.
    @Suite struct BusyServerTests {
        private let cluster: PostgresCluster

        init() throws {
            cluster = try PostgresCluster.start(17)
            let outcome = try cluster.run("pgbench", "-i", "-s", "2", "-q", "postgres")
            try #require(outcome.status == 0, "\(outcome.errorText)")
        }

        @Test func `a backup while pgbench writes restores to a moment at which all balances agree`() throws {
            let installation = try Installation(cluster)
            let load = try cluster.start("pgbench", "-n", "-c", "4", "-T", "100", "postgres")
            try cluster.waitUntil("SELECT count(*) > 500 FROM pgbench_history")

            let before = try cluster.psql("SELECT count(*) FROM pgbench_history")
            let label = try installation.backup()
            let after = try cluster.psql("SELECT count(*) FROM pgbench_history")
            load.signal(SIGTERM)
            _ = try load.finish()
            let outcome = try installation.run("restore", "primary", label, installation.folder.path)

            try #require(outcome.status == 0, "\(outcome.errorText)")
            let copy = try PostgresCluster.start(
                17, onDataFolder: installation.folder.path("primary-\(label)"))
            let rows = try #require(Int(try copy.psql("SELECT count(*) FROM pgbench_history")))
            #expect(try #require(Int(before)) <= rows && rows <= #require(Int(after)), "\(before) \(rows) \(after)")
            #expect(before != after)
            let sums = [
                ("abalance", "accounts"), ("tbalance", "tellers"), ("bbalance", "branches"), ("delta", "history"),
            ]
            let balances = try sums.map { try copy.psql("SELECT sum(\($0.0)) FROM pgbench_\($0.1)") }
            #expect(Set(balances).count == 1, "\(balances)")
            let check = try copy.run("pg_amcheck", "--all", "--install-missing", "--heapallindexed")
            #expect(check.status == 0 && check.text.isEmpty, "\(check.text)\(check.errorText)")
        }
    }
}
