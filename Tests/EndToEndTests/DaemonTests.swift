import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// The daemon as an operator runs it: WAL that it acknowledged is never lost, damage is found by itself, and all is shown.
    @Suite struct DaemonTests {
        private let cluster: PostgresCluster
        private let installation: Installation
        private let port: Int

        init() throws {
            cluster = try PostgresCluster.start(
                17, settings: ["wal_keep_size": "2GB"], initdbArguments: ["--wal-segsize=1"])
            port = try PostgresCluster.freePort()
            let folder = try TemporaryFolder()
            installation = try Installation(
                cluster,
                general: [
                    "spool = \(folder.path)/spool", "metrics = \(port)", "verification = 2", "log_level = debug",
                ], lines: ["wal_slot = keeper", "create_slot = on"])
            spool = folder
        }
        private let spool: TemporaryFolder

        /// What the daemon answers; nil while it does not.
        private func page(_ path: String) throws -> String? {
            let outcome = try Program.run("/usr/bin/curl", ["-sf", "http://127.0.0.1:\(port)\(path)"])
            return outcome.status == 0 ? outcome.text : nil
        }

        private func metric(_ name: String) throws -> Int? {
            let line = try page("/metrics")?.split(separator: "\n").first { $0.hasPrefix(name) }
            return line?.split(separator: " ").last.flatMap { Int($0) }
        }

        private func waitUntil(_ what: String, _ fits: () throws -> Bool) throws {
            func lines() throws -> [Substring] {
                try page("/metrics")?.split(separator: "\n").filter { $0.hasPrefix("pgmoneta_wal") } ?? []
            }
            try Waiting.until("\(what); \(lines())", fits)
        }

        private func waitUntilStreaming() throws {
            try waitUntil("streaming") { try metric("pgmoneta_wal_streaming{") == 1 }
        }

        private func position() throws -> Int {
            let text = try cluster.psql("SELECT pg_current_wal_flush_lsn() - '0/0'")
            return try #require(Int(text.trimmingCharacters(in: .whitespacesAndNewlines)))
        }

        /// Switches to a new segment, and waits until all before it is on the target.
        private func waitUntilAllIsStored() throws {
            try cluster.endSegment()
            let position = try position()
            try waitUntil("stored") {
                try metric("pgmoneta_wal_safe_position{") ?? 0 >= position
                    && metric("pgmoneta_wal_waiting_files{") == 0
            }
        }

        /// Compares all that the archive has with what the server has, which keeps all.
        private func expectArchived(atLeast count: Int) throws {
            let list = try JSONReply(installation.run("wal", "ls", "primary", "-F", "json"))
            let timelines = try list.list("Response", "Timelines")
            try #require(timelines.count == 1)
            #expect(try timelines[0].list("Gaps").isEmpty)
            let (first, last) = try (timelines[0].text("First"), timelines[0].text("Last"))
            let names = try FileManager.default.contentsOfDirectory(atPath: cluster.dataFolder + "/pg_wal")
                .filter { $0.count == 24 && $0 >= first && $0 <= last }.sorted()
            #expect(names.count >= count)
            let fetched = spool.path("fetched")
            for name in names {
                let outcome = try installation.run("wal-fetch", "primary", name, fetched)
                try #require(outcome.status == 0, "\(name): \(outcome.errorText)")
                let same = try Program.run("/usr/bin/cmp", [fetched, "\(cluster.dataFolder)/pg_wal/\(name)"])
                #expect(same.status == 0, "\(same.text)")
            }
        }

        @Test func `WAL is received and archived, and the daemon ends in good order`() throws {
            let daemon = try installation.startDaemon()
            try waitUntilStreaming()
            try cluster.psql("CREATE TABLE t AS SELECT i, md5(i::text) FROM generate_series(1, 50000) i")

            try waitUntilAllIsStored()
            daemon.signal(SIGHUP)
            try cluster.psql("INSERT INTO t SELECT * FROM t")
            try waitUntilStreaming()
            try waitUntilAllIsStored()
            #expect(try installation.run("conf", "reload").status == 0)
            try waitUntilStreaming()
            let status = try JSONReply(installation.run("status", "details", "-F", "json"))
            let server = try status.list("Response", "Servers")[0]
            #expect(try server.text("WAL", "LastArchived").count == 24)
            #expect(try server.number("WAL", "Gaps") == 0)
            #expect(try JSONReply(installation.run("ping", "-F", "json")).number("Response", "ProcessID") > 1)
            let second = try installation.startDaemon().finish()
            #expect(second.status == 1)
            #expect(second.errorText.contains("another daemon"))

            #expect(try installation.run("shutdown").status == 0)
            let outcome = try daemon.finish()
            #expect(try installation.run("ping").status == 4)
            #expect(try installation.run("status").status == 0)
            #expect(outcome.status == 0, "\(outcome.errorText)")
            #expect(outcome.errorText.contains("the daemon ends"))
            try expectArchived(atLeast: 6)
        }

        @Test func `no WAL that was acknowledged is lost when the daemon is killed`() throws {
            // `PGMONETA_KILLS=100` kills it so often.
            let kills = ProcessInfo.processInfo.environment["PGMONETA_KILLS"].flatMap { Int($0) } ?? 12
            var daemon = try installation.startDaemon()
            try waitUntilStreaming()
            let load = try cluster.startInserting()
            var numbers = SeededNumbers(seed: 7)
            for _ in 0..<kills {
                usleep(UInt32(numbers.next(upperBound: UInt64(700_000))))
                daemon.signal(SIGKILL)
                _ = try daemon.finish()
                daemon = try installation.startDaemon()
            }
            load.signal(SIGTERM)
            _ = try load.finish()

            try waitUntilStreaming()
            try waitUntilAllIsStored()
            #expect(try metric("pgmoneta_wal_gaps{") == 0)
            daemon.signal(SIGTERM)
            _ = try daemon.finish()
            try expectArchived(atLeast: 6)
        }

        @Test func `a damaged object is found by itself and shown everywhere`() throws {
            let label = try installation.backup()
            let daemon = try installation.startDaemon()
            try waitUntil("verified") { try metric("pgmoneta_backup_verified_at{") ?? 0 > 0 }
            #expect(try page("/")?.contains("All is well.") == true)

            let volume = "\(installation.repository)/primary/backup/\(label)/data/base.000001.tar.zstd"
            let handle = try #require(FileHandle(forUpdatingAtPath: volume))
            try handle.seek(toOffset: 100_000)
            try handle.write(contentsOf: Data([0xFF, 0x00, 0xFF, 0x00]))
            try handle.close()

            try waitUntil("found") { try metric("pgmoneta_backup_valid{") == 0 }
            #expect(try page("/")?.contains("backup \(label) is damaged") == true)
            let list = try JSONReply(installation.run("list-backup", "primary", "-F", "json"))
            #expect(try list.list("Response", "Backups").map { try $0.text("Valid") } == ["no"])
            daemon.signal(SIGTERM)
            let outcome = try daemon.finish()
            #expect(outcome.errorText.contains("error: a backup is damaged"))
            #expect(outcome.errorText.contains("base.000001.tar.zstd"))
        }

        @Test func `a server that is offline is left alone until it is online again`() throws {
            let daemon = try installation.startDaemon()
            try waitUntilStreaming()
            try waitUntil("online") { try metric("pgmoneta_server_online{") == 1 }

            let offline = try installation.run("mode", "primary", "offline", "-F", "json")
            #expect(offline.status == 0, "\(offline.errorText)")
            try waitUntil("left alone") { try metric("pgmoneta_wal_streaming{") == nil }
            #expect(try metric("pgmoneta_server_online{") == 0)
            #expect(try page("/")?.contains("told to leave it alone") == true)
            try cluster.waitUntil("SELECT count(*) = 0 FROM pg_stat_replication")
            _ = try installation.backup()
            let status = try JSONReply(installation.run("status", "-F", "json")).list("Response", "Servers")[0]
            #expect(try !status.flag("Online"))

            #expect(try installation.run("mode", "primary", "online").status == 0)
            try waitUntilStreaming()
            try waitUntilAllIsStored()
            try cluster.stop()
            try waitUntil("noticed") { try metric("pgmoneta_server_online{") == 0 }
            try waitUntil("shown") { try page("/")?.contains("PostgreSQL does not answer") == true }
            #expect(try installation.run("mode", "other", "online").status == 2)
            daemon.signal(SIGTERM)
            #expect(try daemon.finish().errorText.contains("warning: PostgreSQL does not answer"))
            #expect(try installation.run("mode", "primary", "online").status == 4)
        }

        @Test func `the dashboard in contrib asks for metrics that are there`() throws {
            _ = try installation.backup()
            let daemon = try installation.startDaemon()
            try waitUntil("verified") { try metric("pgmoneta_backup_verified_at{") ?? 0 > 0 }
            try waitUntilStreaming()
            let path = URL(filePath: #filePath).deletingLastPathComponent()
                .appending(path: "../../contrib/grafana-dashboard.json")
            let dashboard = try JSONDecoder().decode(JSONValue.self, from: Data(contentsOf: path))
            let queries =
                dashboard.members["panels"]?.items.flatMap { $0.members["targets"]?.items ?? [] }
                .compactMap { $0.members["expr"]?.text } ?? []
            #expect(queries.count > 10)
            for query in queries {
                let name = try #require(query.firstMatch(of: /pgmoneta_[a-z_]+/)?.output)
                #expect(try metric(name + "{") != nil, "\(query)")
            }
            daemon.signal(SIGTERM)
            _ = try daemon.finish()
        }

        @Test(.enabled(if: Browser.isThere, "the distribution has no browser outside of snap"))
        func `the status page is whole in a browser, on a desk and on a phone`() throws {
            let label = try installation.backup()
            let daemon = try installation.startDaemon()
            try waitUntil("seen") { try page("/")?.contains("All is well.") == true }
            let address = "http://127.0.0.1:\(port)/"

            let document = try Browser.document(address, in: spool)
            #expect(document.contains("<td>\(label)</td>"))
            #expect(document.contains("All is well."))
            #expect(document.contains("<svg") && document.contains("<circle"))
            #expect(!document.contains("<script"))
            for width in [1000, 400] {
                let image = try Browser.image(address, width: width, in: spool)
                #expect(image.width == width)
                #expect(image.byteCount > 5000, "it is not empty")
            }
            daemon.signal(SIGTERM)
            _ = try daemon.finish()
        }

        @Test func `what keeps the daemon from beginning is said at once`() throws {
            let faulty = try installation.with(general: ["metrics = many"])
            let outcome = try faulty.startDaemon().finish()
            #expect(outcome.status == 2)
            #expect(outcome.errorText.contains("metrics"))
            #expect(outcome.errorText.contains("remedy: "))
        }
    }
}
