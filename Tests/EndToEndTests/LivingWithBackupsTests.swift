import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// What becomes of backups after they were taken: notes, keep, deletion, retention; on all kinds of places at once.
    @Suite struct LivingWithBackupsTests {
        private let cluster: PostgresCluster
        private let places: Places
        private let installation: Installation

        init() throws {
            cluster = try PostgresCluster.start(17)
            places = try Places()
            installation = try Installation(
                cluster, general: places.lines(general: ["retention = 1", "encryption = aes"]))
            try #require(installation.administrate("master-key").status == 0)
        }

        private func reply(_ arguments: [String], on target: String? = nil) throws -> JSONReply {
            let target = target.map { ["--target", $0] } ?? []
            let outcome = try installation.start(arguments + target + ["-F", "json"]).finish()
            try #require(outcome.status == 0, "\(arguments): \(outcome.errorText)")
            return try JSONReply(outcome)
        }

        private func expectRefusal(_ arguments: [String], _ status: Int32, _ code: String) throws {
            let outcome = try installation.start(arguments + ["-F", "json"]).finish()
            #expect(outcome.status == status, "\(arguments): \(outcome.text)\(outcome.errorText)")
            #expect(try JSONReply(outcome).text("Outcome", "Code") == code)
            #expect(outcome.errorText.contains("remedy: "))
        }

        @Test func `the manual's annotate commands do what it says, on every target`() throws {
            let label = try installation.backup()

            _ = try reply(["annotate", "primary", "newest", "add", "mykey", "mycomment"])
            for kind in PlaceKind.allCases {
                #expect(
                    try reply(["info", "primary", label], on: kind.rawValue).text("Response", "Comments")
                        == "mykey|mycomment")
            }
            try expectRefusal(["annotate", "primary", "newest", "add", "mykey", "other"], 1, "comment-exists")
            let updated = try reply(["annotate", "primary", "newest", "update", "mykey", "my,new|comment"])
            #expect(try updated.text("Response", "Comments") == #"mykey|my\,new\|comment"#)
            #expect(
                updated.keys.isSuperset(of: ["Response/WAL", "Response/StartLoLSN", "Response/Keep", "Request/Key"]))
            _ = try reply(["annotate", "primary", "newest", "remove", "mykey"])
            #expect(try reply(["info", "primary", "newest"]).text("Response", "Comments") == "")
            try expectRefusal(["annotate", "primary", "newest", "update", "mykey", "x"], 1, "comment-missing")
            try expectRefusal(["annotate", "primary", "newest", "remove", "mykey", "x"], 2, "usage")

            let long = String(repeating: "long \u{1F600}\n", count: 100_000)
            try installation.folder.write(Array(long.utf8), to: "comment")
            _ = try reply([
                "annotate", "primary", "newest", "add", "long", "--comment-file", installation.folder.path("comment"),
            ])
            #expect(try reply(["info", "primary", "newest"]).text("Response", "Comments") == "long|" + long)
            try installation.folder.write(Array((long + long).utf8), to: "comment")
            try expectRefusal(
                [
                    "annotate", "primary", "newest", "update", "long", "--comment-file",
                    installation.folder.path("comment"),
                ], 1, "comment-too-long")
        }

        @Test func `two machines that annotate at once lose nothing`() throws {
            _ = try installation.backup()

            let runs = try (0..<6).map { number in
                try installation.start(["annotate", "primary", "newest", "add", "key\(number)", "\(number)"])
            }
            for run in runs {
                let outcome = try run.finish()
                #expect(outcome.status == 0, "\(outcome.errorText)")
            }

            let whole = (0..<6).map { "key\($0)|\($0)" }.joined(separator: ",")
            for kind in PlaceKind.allCases {
                #expect(
                    try reply(["info", "primary", "newest"], on: kind.rawValue).text("Response", "Comments") == whole)
            }
        }

        @Test func `what is kept is not deleted, by nobody, until it is let go or forced`() throws {
            try cluster.psql("ALTER SYSTEM SET summarize_wal = on")
            try cluster.psql("SELECT pg_reload_conf()")
            let full = try installation.backup()
            let child = try reply(["backup", "primary", full]).text("Response", "Backup")
            let last = try installation.backup()

            let kept = try reply(["retain", "primary", child, "--cascade"])
            #expect(
                try kept.list("Response", "Targets").map { try $0.text("Status") } == [
                    "complete", "complete", "complete",
                ])
            #expect(
                kept.keys.isSuperset(of: ["Response/Backups", "Response/Keep", "Response/Valid", "Request/Cascade"]))
            #expect(try keeps() == [full, child])
            try expectRefusal(["delete", "primary", full, "--cascade"], 1, "backup-kept")

            let dry = try reply(["retention", "primary", "--dry-run"])
            #expect(try decisions(dry) == Array(repeating: ["keep", "keep", "keep"], count: 3))
            _ = try reply(["expunge", "primary", full])
            #expect(try keeps() == [child])
            #expect(
                try decisions(reply(["retention", "primary"])) == Array(repeating: ["keep", "keep", "keep"], count: 3))
            _ = try reply(["expunge", "primary", child])

            #expect(
                try decisions(reply(["retention", "primary", "--dry-run"]))
                    == Array(repeating: ["go", "go", "keep"], count: 3))
            #expect(try installation.labels() == [full, child, last])
            let gone = try reply(["retention", "primary"])
            #expect(try gone.number("Response", "Freed") > 1_000_000)
            #expect(try installation.labels() == [last])
            #expect(
                try installation.remains().filter {
                    !$0.hasPrefix("primary/notes/") && $0 != "keys/" && !$0.hasPrefix("keys/")
                } == [])

            _ = try reply(["retain", "primary", last])
            _ = try reply(["delete", "primary", last, "--force"])
            #expect(try installation.labels() == [])
        }

        private func keeps() throws -> [String] {
            let text = try installation.run("list-backup", "primary", "-F", "text").text
            return text.matches(of: /- Backup: (\d{14})\n(?:.*\n)*?.*Keep: (true|false)/).filter { $0.2 == "true" }
                .map { String($0.1) }
        }

        /// The decisions of each target, oldest first.
        private func decisions(_ reply: JSONReply) throws -> [[String]] {
            let items = try reply.list("Response", "Backups")
            return try PlaceKind.allCases.map { kind in
                try items.filter { try $0.text("Target") == kind.rawValue }.map { try $0.text("Decision") }
            }
        }

        @Test func `a target that does not take the note is exit code 5, and gets it the next time`() throws {
            let server = try SeaweedServer()
            let places = try Places(s3: server)
            let installation = try Installation(cluster, general: places.lines())
            _ = try installation.backup()
            server.kill()

            let first = try installation.run("annotate", "primary", "newest", "add", "a", "b", "-F", "json")
            #expect(first.status == 5, "\(first.text)\(first.errorText)")
            #expect(try JSONReply(first).text("Outcome", "Code") == "some-targets-failed")
            #expect(first.errorText.contains("is not annotated on s3 ("))
            try server.start()
            let second = try installation.run("annotate", "primary", "newest", "add", "a", "b", "-F", "json")

            #expect(second.status == 0, "\(second.errorText)")
            let info = try installation.run("info", "primary", "newest", "--target", "s3", "-F", "json")
            #expect(try JSONReply(info).text("Response", "Comments") == "a|b")
        }
    }
}
