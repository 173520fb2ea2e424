import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// The daemon's spool on a disk that forgets what was not made durable.
    @Suite struct PowerLossTests {
        private let cluster: PostgresCluster
        private let installation: Installation
        private let power: PowerLoss
        /// Where the server itself archives, which is compared with.
        private let oracle: String

        init() throws {
            // The server forgets its WAL as soon as it may: what was acknowledged and lost would be missing for good.
            cluster = try PostgresCluster.start(
                17,
                settings: [
                    "wal_keep_size": "0", "max_wal_size": "4MB", "min_wal_size": "2MB", "archive_mode": "on",
                    "autovacuum": "off",
                ], initdbArguments: ["--wal-segsize=1"])
            oracle = cluster.socketFolder + "/oracle"
            try FileManager.default.createDirectory(atPath: oracle, withIntermediateDirectories: false)
            try Owner(of: cluster.dataFolder).own(oracle)
            try cluster.psql("ALTER SYSTEM SET archive_command = 'cp %p \(oracle)/%f'")
            try cluster.psql("SELECT pg_reload_conf()")
            power = try PowerLoss()
            installation = try Installation(
                cluster, general: ["spool = \(power.disk)/deep/spool"],
                lines: ["wal_slot = keeper", "create_slot = on"])
        }

        private func receiver() throws -> JSONReply? {
            let outcome = try installation.run("status", "-F", "json")
            guard outcome.status == 0 else { return nil }
            return try JSONReply(outcome).list("Response", "Servers").first
        }

        private func waitUntil(_ fits: (JSONReply) throws -> Bool) throws {
            try Waiting.until("the receiver is there; \(receiver().map { "\($0)" } ?? "nothing")") {
                guard let server = try receiver(), server.keys.contains("WAL/Safe") else { return false }
                return try fits(server)
            }
        }

        private func start() throws -> RunningProgram { try installation.startDaemon(environment: power.environment) }

        /// `PGMONETA_LOSSES=100` loses power so often.
        @Test func `no WAL that was acknowledged is lost when the power fails`() throws {
            let losses = ProcessInfo.processInfo.environment["PGMONETA_LOSSES"].flatMap { Int($0) } ?? 8
            var daemon = try start()
            try waitUntil { try $0.text("WAL", "Safe") != "0/0" }
            let load = try cluster.startInserting()
            var numbers = SeededNumbers(seed: 5)
            for _ in 0..<losses {
                usleep(300_000 + UInt32(numbers.next(upperBound: UInt64(900_000))))
                try cluster.psql("CHECKPOINT")
                daemon.signal(SIGKILL)
                _ = try daemon.finish()
                try power.fail()
                daemon = try start()
            }
            load.signal(SIGTERM)
            _ = try load.finish()

            let name = try cluster.endSegment()
            try cluster.waitUntil("SELECT last_archived_wal >= '\(name)' FROM pg_stat_archiver")
            try waitUntil { try $0.keys.contains("WAL/LastArchived") && $0.text("WAL", "LastArchived") >= name }
            #expect(try receiver()?.number("WAL", "Gaps") == 0)
            daemon.signal(SIGTERM)
            let said = try daemon.finish().errorText
            let list = try JSONReply(installation.run("wal", "ls", "primary", "-F", "json"))
            let timelines = try list.list("Response", "Timelines")
            try #require(timelines.count == 1)
            #expect(try timelines[0].list("Gaps").isEmpty, "\(said)")
            let first = try timelines[0].text("First")
            let names = try FileManager.default.contentsOfDirectory(atPath: oracle).filter {
                $0.count == 24 && $0 >= first && $0 <= name
            }.sorted()
            #expect(names.count >= losses)
            let fetched = power.disk + "/fetched"
            for name in names {
                let outcome = try installation.run("wal-fetch", "primary", name, fetched)
                try #require(outcome.status == 0, "\(name): \(outcome.errorText)")
                let same = try Program.run("/usr/bin/cmp", [fetched, "\(oracle)/\(name)"])
                #expect(same.status == 0, "\(same.text)")
            }
        }
    }
}
