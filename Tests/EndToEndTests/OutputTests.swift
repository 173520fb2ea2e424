import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// The replies to the commands of the manual's chapter about backups have every field of its samples.
    @Suite struct OutputTests {
        private let common: Set<String> = [
            "Header", "Header/ClientVersion", "Header/Command", "Header/Output", "Header/Timestamp", "Outcome",
            "Outcome/Status", "Outcome/Time", "Request", "Request/Server", "Response", "Response/MajorVersion",
            "Response/MinorVersion", "Response/Server", "Response/ServerVersion",
        ]
        private let installation: Installation
        private let cluster: PostgresCluster

        init() throws {
            cluster = try PostgresCluster.start(17)
            installation = try Installation(cluster)
        }

        /// The reply to a command in the three formats: all that it writes to standard output, and nothing on standard error.
        private func replies(_ arguments: String...) throws -> (text: ReplyLayout, raw: ReplyLayout, json: JSONReply) {
            let outcomes = try ["text", "raw", "json"].map { try installation.start(arguments + ["-F", $0]).finish() }
            for outcome in outcomes {
                #expect(outcome.status == 0)
                #expect(outcome.errorText == "")
            }
            return try (ReplyLayout(outcomes[0].text), ReplyLayout(outcomes[1].text), JSONReply(outcomes[2]))
        }

        /// Checks that a sample's fields are there, the same in all formats, and plain in `raw`.
        private func expect(
            _ fields: Set<String>, command: (name: String, number: String),
            in replies: (text: ReplyLayout, raw: ReplyLayout, json: JSONReply)
        ) throws {
            #expect(replies.text.keys.isSuperset(of: common.union(fields)), "\(fields.subtracting(replies.text.keys))")
            #expect(replies.raw.keys == replies.text.keys)
            #expect(replies.json.keys == replies.text.keys)
            #expect(replies.text["Header/Command"] == command.name)
            #expect(replies.raw["Header/Command"] == command.number)
            #expect(replies.text["Header/Output"] == "text")
            #expect(replies.raw["Header/Output"] == "2")
            #expect(try replies.json.text("Header", "Output") == "json")
            #expect(replies.text["Outcome/Status"] == "true")
            #expect(replies.text["Outcome/Time"]?.wholeMatch(of: /\d\d:\d\d:\d\d/) != nil)
            #expect(replies.text["Header/Timestamp"]?.wholeMatch(of: /\d{14}/) != nil)
        }

        private func isHumanSize(_ text: String?) -> Bool { text?.wholeMatch(of: /\d+\.\d\d(B|kB|MB|GB)/) != nil }

        @Test func `backup has the sample's fields`() throws {
            let fields: Set<String> = Set(
                [
                    "Backup", "BackupSize", "Compression", "Encryption", "Incremental", "MajorVersion", "MinorVersion",
                    "RestoreSize", "Server", "ServerVersion",
                ].map { "Response/\($0)" })

            let replies = try replies("backup", "primary")

            try expect(fields, command: ("backup", "1"), in: replies)
            #expect(replies.text["Response/Backup"]?.wholeMatch(of: /\d{14}/) != nil)
            #expect(replies.text["Response/Incremental"] == "false")
            #expect(
                isHumanSize(replies.text["Response/BackupSize"]) && isHumanSize(replies.text["Response/RestoreSize"]))
            #expect(try #require(Int(replies.raw["Response/RestoreSize"] ?? "")) > 20_000_000)
            #expect(replies.text["Response/Compression"] == "zstd" && replies.raw["Response/Compression"] == "2")
            #expect(replies.text["Response/Encryption"] == "none" && replies.raw["Response/Encryption"] == "0")
            let version = try cluster.psql("SHOW server_version").prefix { $0 == "." || $0.isNumber }
            #expect(
                "\(replies.text["Response/MajorVersion"] ?? "").\(replies.text["Response/MinorVersion"] ?? "")"
                    == version)
        }

        @Test func `list-backup has the sample's fields`() throws {
            let first = try installation.backup()
            let second = try installation.backup()
            let fields = Set(
                [
                    "Backup", "BackupSize", "Comments", "Compression", "Encryption", "Incremental", "Keep",
                    "RestoreSize",
                    "Server", "Valid", "WAL",
                ].map { "Response/Backups/\($0)" })

            let replies = try replies("list-backup", "primary")
            let descending = try installation.run("list-backup", "primary", "--sort", "desc", "-F", "json")

            try expect(fields.union(["Response/Backups"]), command: ("list-backup", "2"), in: replies)
            #expect(replies.text["Response/Backups/Valid"] == "yes" && replies.raw["Response/Backups/Valid"] == "1")
            #expect(replies.text["Response/Backups/Keep"] == "false")
            let wal = try FileManager.default.attributesOfItem(
                atPath: "\(installation.repository)/primary/backup/\(second)/data/pg_wal.000001.tar.zstd")
            #expect(try replies.json.list("Response", "Backups").last?.number("WAL") == wal[.size] as? Int)
            #expect(try installation.labels() == [first, second])
            let labels = try JSONReply(descending).list("Response", "Backups").map { try $0.text("Backup") }
            #expect(labels == [second, first])
        }

        @Test func `info has the sample's fields, and the values of the backup`() throws {
            let taken = try JSONReply(installation.run("backup", "primary", "-F", "json"))
            let fields = Set(
                [
                    "Backup", "BackupSize", "CheckpointHiLSN", "CheckpointLoLSN", "Comments", "Compression", "Elapsed",
                    "Encryption", "EndHiLSN", "EndLoLSN", "EndTimeline", "Incremental", "Keep", "NumberOfTablespaces",
                    "RestoreSize", "StartHiLSN", "StartLoLSN", "StartTimeline", "Tablespaces", "Valid", "WAL",
                ].map { "Response/\($0)" })

            let replies = try replies("info", "primary", "newest")

            try expect(fields.union(["Request/Backup"]), command: ("info", "18"), in: replies)
            #expect(replies.text["Request/Backup"] == "newest")
            for key in ["BackupSize", "RestoreSize"] {
                #expect(try replies.json.number("Response", key) == taken.number("Response", key))
                #expect(try replies.raw["Response/\(key)"] == "\(taken.number("Response", key))")
                #expect(isHumanSize(replies.text["Response/\(key)"]))
            }
            #expect(replies.text["Response/Valid"] == "yes" && replies.raw["Response/Valid"] == "1")
            #expect(replies.text["Response/Tablespaces"] == "{}")
            #expect(replies.text["Response/NumberOfTablespaces"] == "0")
            #expect(replies.text["Response/WAL"]?.wholeMatch(of: /[0-9A-F]{24}/) != nil)
            let start = try #require(UInt32(replies.text["Response/StartLoLSN"] ?? "", radix: 16))
            #expect(replies.raw["Response/StartLoLSN"] == "\(start)")
        }
    }
}
