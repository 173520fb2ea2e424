import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// The WAL archive as PostgreSQL uses it: through `archive_command` and `restore_command`.
    @Suite struct WALArchiveTests {
        private static let absent = "000000010000000F00000001"

        @Test func `what the server archived comes back byte for byte from each target, encrypted too`() throws {
            let places = try Places()
            let server = try ArchivingServer(places: places, general: ["encryption = aes-256-gcm"])
            try server.prepareTargets(places)
            let names = try (0..<6).map { _ in try server.archiveSegment() }

            for kind in PlaceKind.allCases {
                let folder = try server.restoreFolder()
                for name in names {
                    let outcome = try server.run(
                        ["wal-fetch", "primary", name, "\(folder)/file", "--target", kind.rawValue])
                    #expect(outcome.status == 0, "\(kind) \(outcome.errorText)")
                    #expect(outcome.output.isEmpty && outcome.error.isEmpty)
                    try Program.check(
                        "/usr/bin/cmp", ["\(folder)/file", "\(server.cluster.dataFolder)/pg_wal/\(name)"])
                }
            }

            let list = try JSONReply(server.run(["wal", "ls", "primary", "-F", "json"]))
            let timelines = try list.list("Response", "Timelines")
            #expect(try timelines.map { try $0.text("Target") } == ["local", "s3", "ssh"])
            for timeline in timelines {
                #expect(try timeline.text("Last") == names.last)
                #expect(try timeline.list("Gaps").isEmpty)
            }
        }

        @Test func `segments come from the spool that a process keeps filled, and it ends with its spool`() throws {
            let server = try ArchivingServer()
            let names = try (0..<6).map { _ in try server.archiveSegment() }
            let folder = try server.restoreFolder()
            func spooled() -> [String] {
                let entries = (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/.pgmoneta-spool")) ?? []
                return entries.filter { $0.hasPrefix("0") }.map { String($0.prefix(24)) }.sorted()
            }
            #expect(try server.run(["wal-fetch", "primary", names[0], "\(folder)/file", "--ahead", "3"]).status == 0)
            try Waiting.until("two segments wait") { spooled() == Array(names[1...2]) }
            #expect(try !companions(of: folder).isEmpty)

            // Without the archive only what waits can be had.
            let repository = server.installation.repository
            try FileManager.default.moveItem(atPath: repository, toPath: repository + ".away")
            for name in names[1...2] {
                #expect(try server.run(["wal-fetch", "primary", name, "\(folder)/file", "--ahead", "3"]).status == 0)
                try Program.check("/usr/bin/cmp", ["\(folder)/file", "\(server.cluster.dataFolder)/pg_wal/\(name)"])
            }
            #expect(try server.run(["wal-fetch", "primary", names[3], "\(folder)/file"]).status == 255)
            try FileManager.default.moveItem(atPath: repository + ".away", toPath: repository)
            for name in names[3...] {
                #expect(try server.run(["wal-fetch", "primary", name, "\(folder)/file"]).status == 0)
            }
            #expect(try server.run(["wal-fetch", "primary", Self.absent, "\(folder)/file"]).status == 1)
            try Waiting.until("the spool is gone, and who filled it") {
                try !FileManager.default.fileExists(atPath: "\(folder)/.pgmoneta-spool")
                    && companions(of: folder).isEmpty
            }
        }

        /// The processes that fetch ahead for a file in a folder.
        private func companions(of folder: String) throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { process in
                guard Int(process) != nil,
                    let environment = try? String(contentsOfFile: "/proc/\(process)/environ", encoding: .utf8),
                    let arguments = try? String(contentsOfFile: "/proc/\(process)/cmdline", encoding: .utf8)
                else { return false }
                return environment.contains("PGMONETA_COMPANION=3") && arguments.contains(folder)
            }
        }

        @Test func `WAL goes with the oldest backup that needs it, on each target, and the newest restores`() throws {
            let places = try Places()
            let server = try ArchivingServer(places: places, general: ["retention = 1"])
            try server.prepareTargets(places)
            let early = try server.archiveSegment()
            try server.backup()
            try server.archiveSegment()
            let label = try server.backup()
            try server.cluster.psql("CREATE TABLE t AS SELECT 1 AS i")
            let last = try server.archiveSegment()
            let info = try JSONReply(server.run(["info", "primary", label, "-F", "json"]))
            let needed = try info.text("Response", "WAL")

            let outcome = try JSONReply(server.run(["retention", "primary", "-F", "json"]))
            for item in try outcome.list("Response", "WAL") {
                #expect(try item.text("First") == needed)
                #expect(try item.number("Files") >= 2)
                #expect(try item.text("Reason") == "needed by \(label)")
            }
            for timeline in try JSONReply(server.run(["wal", "ls", "primary", "-F", "json"])).list(
                "Response", "Timelines")
            {
                #expect(try timeline.text("First") == needed)
                #expect(try timeline.text("Last") == last)
                #expect(try timeline.list("Gaps").isEmpty)
            }
            for kind in PlaceKind.allCases {
                let folder = try server.restoreFolder()
                let target = ["--target", kind.rawValue]
                // Not the end of the log: a recovery that is under way would lose what follows.
                let gone = try server.run(["wal-fetch", "primary", early, folder + "/file"] + target)
                #expect(gone.status == 255)
                #expect(gone.errorText.contains("retention removed '\(early)'"))
                #expect(try server.run(["wal-fetch", "primary", Self.absent, folder + "/file"] + target).status == 1)
                let restored = try server.run(["restore", "primary", "newest", "current", folder] + target)
                try #require(restored.status == 0, "\(kind): \(restored.errorText)")
                let copy = try PostgresCluster.start(
                    17, onDataFolder: "\(folder)/primary-\(label)", settings: ["archive_mode": "off"])
                try copy.waitUntil("SELECT NOT pg_is_in_recovery()")
                #expect(try copy.psql("SELECT i FROM t") == "1")
            }
        }

        @Test func `only an archive that was looked at says that it ends`() throws {
            let server = try ArchivingServer()
            let name = try server.archiveSegment()
            let target = try server.restoreFolder() + "/file"
            func status(_ arguments: [String]) throws -> Int32 { try server.run(arguments).status }

            #expect(try status(["wal-fetch", "primary", name, target]) == 0)
            #expect(try status(["wal-fetch", "primary", Self.absent, target]) == 1)
            #expect(try status(["wal-fetch", "primary", "00000002.history", target]) == 1)
            #expect(try status(["wal-fetch", "other", name, target]) == 255)
            #expect(try status(["wal-fetch", "primary", "nonsense", target]) == 255)
            #expect(try status(["wal-fetch", "primary", name]) == 255)
            #expect(try status(["wal-fetch", "primary", name, target, "--nonsense"]) == 255)
            #expect(try status(["-c", "/nonexistent", "wal-fetch", "primary", name, target]) == 255)
            #expect(try status(["wal-fetch", "primary", name, "/nonexistent/file"]) == 255)
            #expect(try status(["wal-fetch", "primary", name, target, "--target", "/nonexistent/archive"]) == 255)
            // As when the disk is not mounted.
            let repository = server.installation.repository
            try FileManager.default.moveItem(atPath: repository, toPath: repository + ".away")
            try FileManager.default.createDirectory(atPath: repository, withIntermediateDirectories: false)
            #expect(try status(["wal-fetch", "primary", Self.absent, target]) == 255)
            #expect(try status(["wal-fetch", "primary", "00000002.history", target]) == 255)
        }

        @Test func `a file is archived again without a word, and another one of its name never`() throws {
            let server = try ArchivingServer()
            let name = try server.archiveSegment()
            let path = "\(server.cluster.dataFolder)/pg_wal/\(name)"

            let again = try server.run(["wal-push", "primary", path])
            #expect(again.status == 0 && again.output.isEmpty && again.error.isEmpty)

            let other = server.installation.folder.path(name)
            var bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
            bytes[bytes.count - 1] ^= 1
            try Data(bytes).write(to: URL(filePath: other))
            let refused = try server.run(["wal-push", "primary", other, "-F", "json"])
            #expect(refused.status == 1)
            #expect(try JSONReply(refused).text("Outcome", "Code") == "wal-differs")
        }

        @Test func `a target that is away keeps the server from giving a segment up`() throws {
            let seaweed = try SeaweedServer()
            let places = try Places(s3: seaweed)
            let server = try ArchivingServer(places: places)
            try server.prepareTargets(places)
            try server.archiveSegment()
            seaweed.kill()

            try server.cluster.endSegment()
            try server.cluster.waitUntil("SELECT failed_count > 0 FROM pg_stat_archiver")
            try seaweed.start()
            try server.cluster.waitUntil(
                "SELECT last_archived_time > last_failed_time FROM pg_stat_archiver")

            let list = try JSONReply(server.run(["wal", "ls", "primary", "-F", "json"]))
            let timelines = try list.list("Response", "Timelines")
            #expect(try Set(timelines.map { try $0.text("Last") }).count == 1)
            #expect(try list.list("Response", "Timelines").allSatisfy { try $0.number("Segments") >= 2 })
        }

        @Test func `a gap is reported`() throws {
            let server = try ArchivingServer()
            let names = try (0..<5).map { _ in try server.archiveSegment() }
            let folder = "\(server.installation.repository)/primary/wal/00000001"
            try FileManager.default.removeItem(atPath: "\(folder)/\(names[2]).json")

            let outcome = try server.run(["wal", "ls", "primary"])

            #expect(outcome.status == 0)
            #expect(outcome.text.contains("Complete: false"))
            #expect(outcome.text.contains("- First: \(names[2])\n          Last: \(names[2])\n          Segments: 1"))
        }
    }
}

extension ArchivingServer {
    /// Lets the server's user in where a place keeps its secrets.
    func prepareTargets(_ places: Places) throws {
        guard geteuid() == 0 else { return }
        let owner = try Owner(of: cluster.dataFolder)
        for path in places.ssh.settings.values where path.hasPrefix("/") { try owner.own(path) }
    }
}
