import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// The daemon while its target does not take WAL.
    @Suite struct OutageTests {
        private let cluster: PostgresCluster
        private let server: SeaweedServer
        private let spool: TemporaryFolder
        private let port: Int

        init() throws {
            cluster = try PostgresCluster.start(
                17, settings: ["autovacuum": "off", "wal_keep_size": "2GB"], initdbArguments: ["--wal-segsize=1"])
            server = try SeaweedServer()
            spool = try TemporaryFolder()
            port = try PostgresCluster.freePort()
        }

        private func installation(_ general: [String], secret: String = SeaweedServer.secret) throws -> Installation {
            let settings = server.settings().merging(["url": server.url(prefix: "outage"), "secret_access_key": secret])
            {
                $1
            }
            return try Installation(
                cluster,
                general: [
                    "target = far", "spool = \(spool.path)/spool", "metrics = \(port)", "log_type = file",
                    "log_path = \(log)",
                ] + general
                    + ["[target:far]"] + settings.map { "\($0) = \($1)" },
                lines: ["wal_slot = keeper", "create_slot = on"])
        }

        /// In a file: an outage says more than a pipe takes that is read at the end.
        private var log: String { spool.path("daemon.log") }

        private func logText() throws -> String { try String(contentsOfFile: log, encoding: .utf8) }

        private func metric(_ name: String) throws -> Int? {
            let outcome = try Program.run("/usr/bin/curl", ["-sf", "http://127.0.0.1:\(port)/metrics"])
            let line = outcome.text.split(separator: "\n").first { $0.hasPrefix(name + "{") }
            return line?.split(separator: " ").last.flatMap { Int($0) }
        }

        /// Ends the current segment, waits until all is stored, and compares all that is there with what the server has.
        private func expectAll(_ installation: Installation) throws {
            let name = try cluster.endSegment()
            try Waiting.until("\(name) is stored") {
                let list = try JSONReply(installation.run("wal", "ls", "primary", "-F", "json"))
                return try list.list("Response", "Timelines").first?.text("Last") ?? "" >= name
            }
            let list = try JSONReply(installation.run("wal", "ls", "primary", "-F", "json"))
            let timeline = try #require(list.list("Response", "Timelines").first)
            #expect(try timeline.list("Gaps").isEmpty)
            #expect(try metric("pgmoneta_wal_gaps") == 0)
            let fetched = spool.path("fetched")
            let first = try timeline.text("First")
            let names = try FileManager.default.contentsOfDirectory(atPath: cluster.dataFolder + "/pg_wal")
                .filter { $0.count == 24 && $0 >= first && $0 <= name }.sorted()
            #expect(names.count > 2)
            // Under load for minutes there are hundreds; each costs a program.
            for name in names.count > 40 ? Array(names.prefix(20) + names.suffix(20)) : names {
                let outcome = try installation.run("wal-fetch", "primary", name, fetched)
                try #require(outcome.status == 0, "\(name): \(outcome.errorText)")
                let same = try Program.run("/usr/bin/cmp", [fetched, "\(cluster.dataFolder)/pg_wal/\(name)"])
                #expect(same.status == 0, "\(same.text)")
            }
        }

        /// `PGMONETA_OUTAGE_SECONDS=600` takes the bucket away for that long.
        @Test func `while the bucket is away WAL is received, and stored when it is back`() throws {
            let seconds = ProcessInfo.processInfo.environment["PGMONETA_OUTAGE_SECONDS"].flatMap { UInt32($0) } ?? 10
            let installation = try installation([])
            let daemon = try installation.startDaemon()
            try Waiting.until("streaming") { try metric("pgmoneta_wal_streaming") == 1 }
            let load = try cluster.startInserting()
            try Waiting.until("a segment is stored") {
                try installation.run("wal", "ls", "primary").text.contains("Last: 0")
            }

            server.kill()
            try Waiting.until("told") { try metric("pgmoneta_wal_upload_failing") == 1 }
            let safe = try #require(try metric("pgmoneta_wal_safe_position"))
            sleep(seconds)
            #expect(try metric("pgmoneta_wal_safe_position") ?? 0 > safe, "WAL is received all the same")
            #expect(try metric("pgmoneta_wal_streaming") == 1)
            try server.start()

            try Waiting.until("well again") { try metric("pgmoneta_wal_upload_failing") == 0 }
            load.signal(SIGTERM)
            _ = try load.finish()
            try expectAll(installation)
            daemon.signal(SIGTERM)
            let outcome = try daemon.finish()
            #expect(outcome.status == 0)
            #expect(try logText().contains("WAL waits to be stored"))
        }

        @Test func `wrong credentials are told, the spool keeps its limit, and nothing is missing when they are right`()
            throws
        {
            let limit = 6 << 20
            let installation = try installation(["spool_limit = \(limit)"], secret: "wrong")
            let daemon = try installation.startDaemon()
            try Waiting.until("streaming") { try metric("pgmoneta_wal_streaming") == 1 }
            let load = try cluster.startInserting()

            try Waiting.until("told") { try metric("pgmoneta_wal_upload_failing") == 1 }
            try Waiting.until("full") { try metric("pgmoneta_wal_streaming") == 0 }
            let kept = try Program.check("/usr/bin/du", ["-sB1", "\(spool.path)/spool"]).split { $0.isWhitespace }[0]
            // The folders themselves take some blocks.
            #expect(Int(kept) ?? .max <= limit + 65_536)
            let page = try Program.check("/usr/bin/curl", ["-sf", "http://127.0.0.1:\(port)/"])
            #expect(page.contains("primary: WAL waits to be stored"))
            #expect(page.contains("primary: WAL is not received"))
            load.signal(SIGTERM)
            _ = try load.finish()

            let corrected = try installation.run(
                "conf", "set", "target.far.secret_access_key", SeaweedServer.secret, "-F", "json")
            #expect(try JSONReply(corrected).text("Response", "NewValue") == "***")
            try Waiting.until("well again") {
                try metric("pgmoneta_wal_upload_failing") == 0 && metric("pgmoneta_wal_streaming") == 1
            }
            try expectAll(installation)
            daemon.signal(SIGTERM)
            _ = try daemon.finish()
            let said = try logText()
            #expect(said.contains("more than half of the room"))
            #expect(!said.contains(SeaweedServer.secret))
        }
    }
}
