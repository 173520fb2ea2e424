import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// docs/reply.schema.json against what the programs print.
    @Suite struct ReplySchemaTests {
        /// Replies of one installation, by command.
        private final class Round {
            let server: ArchivingServer
            private let other: TemporaryFolder
            private(set) var seen: Set<String> = []

            init() throws {
                other = try TemporaryFolder()
                server = try ArchivingServer(general: [
                    "retention = 1", "encryption = aes", "target = local, other", "metrics = 0",
                    "[target:other]", "url = file://\(other.path)/other",
                ])
                try Owner(of: server.cluster.dataFolder).own(other.path)
            }

            @discardableResult
            func done(_ arguments: String...) throws -> JSONReply {
                try note(server.run(arguments + ["-F", "json"]), arguments)
            }

            @discardableResult
            func administrate(_ arguments: String...) throws -> JSONReply {
                try note(server.installation.administrate(arguments + ["-F", "json"]), arguments)
            }

            /// Asks the daemon, which may just be beginning.
            func askDaemon(_ arguments: String...) throws {
                try Waiting.until("the daemon answers") { try server.installation.run("ping").status == 0 }
                _ = try note(server.installation.start(arguments + ["-F", "json"]).finish(), arguments)
            }

            private func note(_ outcome: ProgramOutcome, _ arguments: [String]) throws -> JSONReply {
                let reply = try JSONReply(outcome)
                try #require(outcome.status == 0, "\(arguments): \(outcome.text)\(outcome.errorText)")
                seen.insert(try reply.text("Header", "Command"))
                return reply
            }
        }

        @Test func `every command's reply fits the schema`() throws {
            let round = try Round()
            let server = round.server
            let folder = try server.restoreFolder()

            let id = try round.administrate("master-key", "--file", folder + "/second.key").text("Response", "KeyId")
            let password = server.installation.folder.path("password")
            try server.installation.folder.write(Array("a long password\n".utf8), to: "password")
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: password)
            try round.administrate("user", "add", "other", "--password-file", password)
            try round.administrate("user", "edit", "other", "--password-file", password)
            try round.administrate("user", "ls")
            try round.administrate("user", "del", "other")
            try server.giveAway()

            try round.done("conf", "check")
            try round.done("conf", "ls")
            try round.done("conf", "get")
            try round.done("conf", "get", "retention")
            try round.done("conf", "set", "server.primary.workers", "2")
            try round.done("progress", "primary")
            try round.done("target", "ls")
            try round.done("target", "check", "local")
            let first = try round.done("backup", "primary").text("Response", "Backup")
            let second = try round.done("backup", "primary").text("Response", "Backup")
            try round.done("list-backup", "primary", "--sort", "desc")
            try round.done("info", "primary", "newest")
            try round.done("verify", "primary", "newest", "all")
            try round.done("annotate", "primary", "newest", "add", "key", "words")
            try round.done("retain", "primary", "newest", "--cascade")
            try round.done("expunge", "primary", "newest")
            try round.done("restore", "primary", "newest", folder)
            try round.done("archive", "primary", "newest", folder, "--encryption", "aes")
            let tar = "\(folder)/primary-\(second).tar.zstd"
            try round.done("decrypt", tar + ".aes")
            try round.done("decompress", tar)
            try round.done("compress", "\(folder)/primary-\(second).tar", "--compression", "lz4")
            try round.done("encrypt", "\(folder)/primary-\(second).tar.lz4")
            try round.done("delete", "primary", first, "--target", "other")
            try round.done("copy", "primary", first, "--from", "local", "--to", "other")
            try round.done("delete", "primary", second)
            let name = try server.archiveSegment()
            try round.done("wal", "ls", "primary")
            try round.done("wal-fetch", "primary", name, folder + "/segment")
            try round.done("wal-push", "primary", "\(server.cluster.dataFolder)/pg_wal/\(name)")
            try round.done("retention", "primary", "--dry-run")
            try round.administrate("key", "list")
            try round.administrate("key", "add", "--new-master-key", folder + "/second.key")
            try round.administrate("key", "rotate", "--other-master-key", folder + "/second.key")
            try round.administrate("key", "remove", id, "--other-master-key", folder + "/second.key")
            try server.giveAway()

            let daemon = try server.installation.startDaemon()
            try round.askDaemon("ping")
            try round.askDaemon("status")
            try round.askDaemon("status", "details")
            try round.askDaemon("mode", "primary", "offline")
            try round.askDaemon("conf", "reload")
            try round.askDaemon("shutdown")
            #expect(try daemon.finish().status == 0)

            // `init` prints what belongs into files, not a reply.
            #expect(round.seen == ReplySchema.commands.subtracting(["init"]))
        }

        @Test func `a reply that differs is found`() throws {
            let server = try ArchivingServer()
            let outcome = try server.run(["target", "ls", "-F", "json"])
            func faults(_ replacing: String, _ with: String) throws -> Int {
                #expect(outcome.text.contains(replacing))
                let text = outcome.text.replacing(replacing, with: with)
                let value = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
                return ReplySchema.schema.faults(in: value).count
            }

            #expect(try faults("\"Header\"", "\"Header\"") == 0)
            #expect(try faults("\"Header\"", "\"Headers\"") > 0)
            #expect(try faults("\"URL\"", "\"Url\"") > 0)
            #expect(try faults("target ls", "target lsx") > 0)
            #expect(try faults("\"Status\": true", "\"Status\": 1") > 0)
            #expect(try faults("\"Output\": \"json\"", "\"Output\": \"text\"") > 0)
        }
    }
}
