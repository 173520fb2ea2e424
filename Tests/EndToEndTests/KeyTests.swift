import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Who opens encrypted backups, on all kinds of places at once.
    @Suite struct KeyTests {
        private let cluster: PostgresCluster
        private let places: Places
        private let installation: Installation
        /// A passphrase, another one, and a second master key.
        private let (safe, wrong, new): (String, String, String)

        init() throws {
            cluster = try PostgresCluster.start(17)
            try cluster.psql("CREATE TABLE t AS SELECT i, md5(i::text) FROM generate_series(1, 1000) i")
            places = try Places()
            installation = try Installation(cluster, general: places.lines(general: ["encryption = aes"]))
            let folder = installation.folder
            (safe, wrong, new) = (folder.path("safe"), folder.path("wrong"), folder.path("new.key"))
            for (path, text) in [(safe, "correct horse\n"), (wrong, "correct cow\n")] {
                try #require(
                    FileManager.default.createFile(
                        atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600]))
            }
            try #require(installation.administrate("master-key").status == 0)
            try #require(installation.administrate("master-key", "--file", new).status == 0)
        }

        private func key(_ arguments: String...) throws -> JSONReply {
            let outcome = try installation.administrate(["key"] + arguments + ["-F", "json"])
            try #require(outcome.status == 0, "\(arguments): \(outcome.text)\(outcome.errorText)")
            return try JSONReply(outcome)
        }

        private func expect(
            _ outcome: ProgramOutcome, _ status: Int32, _ code: String, _ words: String,
            _ location: SourceLocation = #_sourceLocation
        ) throws {
            let (text, said) = (outcome.text, outcome.errorText)
            #expect(outcome.status == status, "\(text)\(said)", sourceLocation: location)
            #expect(try JSONReply(outcome).text("Outcome", "Code") == code, sourceLocation: location)
            #expect(said.contains(words) && said.contains("remedy: "), "\(said)", sourceLocation: location)
        }

        private func masterKeyID(_ path: String) throws -> String {
            let text = try String(contentsOfFile: path, encoding: .utf8)
            return String(try #require(text.firstMatch(of: /id: ([0-9a-f]{16})\n/)).1)
        }

        private var host: String { installation.folder.path("home/.pgmoneta/master.key") }

        /// Restores a backup from one kind of place.
        private func restore(_ label: String, _ kind: PlaceKind, _ secret: String...) throws -> ProgramOutcome {
            let directory = installation.folder.path("restored-\(label)-\(kind)")
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            let arguments = [
                "restore", "primary", label, directory, "--force", "--target", kind.rawValue, "-F", "json",
            ]
            return try installation.start(arguments + secret).finish()
        }

        @Test
        func `recipients come and go, old backups restore, and who was removed opens nothing, on every kind of place`()
            throws
        {
            let first = try installation.backup()
            let added = try key("add", "--new-passphrase-file", safe, "--name", "the safe")
            #expect(try added.list("Response", "Recipients").count == 6)
            _ = try key("add", "--new-master-key", new)
            try expect(
                installation.administrate("key", "rotate", "-F", "json"), 1, "recipient-absent", "'the safe'")
            let rotated = try key("rotate", "--other-passphrase-file", safe, "--other-master-key", new)
            let keys = try rotated.list("Response", "Keys").map { try $0.text("Key") }
            #expect(keys.count == 6 && Set(keys).count == 2, "every target has the same two keys")
            let second = try installation.backup()
            let old = try masterKeyID(host)
            _ = try key("remove", old, "--master-key", new, "--other-passphrase-file", safe)

            let refused = try installation.run("backup", "primary", "-F", "json")
            try expect(refused, 1, "not-a-recipient", "master key \(old) is not one of the recipients")
            let taken = try installation.run("backup", "primary", "--master-key", new, "-F", "json")
            let third = try JSONReply(taken).text("Response", "Backup")
            for kind in PlaceKind.allCases {
                for label in [first, second, third] {
                    let outcome = try restore(label, kind, "--passphrase-file", safe)
                    #expect(outcome.status == 0, "\(label) from \(kind): \(outcome.errorText)")
                }
                try expect(restore(first, kind), 1, "not-a-recipient", old)
                try expect(restore(third, kind, "--passphrase-file", wrong), 1, "not-a-recipient", "this passphrase")
                #expect(try restore(second, kind, "--key-command", "cat \(new)").status == 0)
                #expect(try restore(second, kind, "--key-command", "cat \(safe)").status == 0)
                try expect(restore(second, kind, "--key-command", "false"), 1, "master-key-missing", "key command")
            }
            let data = installation.folder.path("restored-\(first)-s3/primary-\(first)")
            let copy = try PostgresCluster.start(17, onDataFolder: data)
            #expect(try copy.psql("SELECT count(*) FROM t") == "1000")
        }

        @Test
        func `what one target has already is done on the others, and a copied old backup does not lock a place`()
            throws
        {
            let label = try installation.backup()
            _ = try key("add", "--new-passphrase-file", safe, "--name", "the safe", "--target", "s3")
            let added = try key("add", "--new-passphrase-file", safe, "--name", "the safe")
            #expect(try added.list("Response", "Targets").allSatisfy { try $0.text("Status") == "complete" })
            try expect(
                installation.administrate("key", "add", "--new-passphrase-file", safe, "-F", "json"), 1,
                "recipient-exists", "a recipient already")
            let secret = ["--other-passphrase-file", safe]
            _ = try installation.administrate(["key", "rotate", "--target", "local"] + secret)
            try expect(
                installation.administrate(["key", "remove", "the safe", "--keep-key", "--leave-out", "x", "-F", "json"]
                ),
                2, "usage", "--keep-key")
            _ = try key("remove", "the safe", "--target", "ssh", "--other-passphrase-file", safe)
            let removed = try key("remove", "the safe", "--other-passphrase-file", safe)
            #expect(try removed.list("Response", "Targets").allSatisfy { try $0.text("Status") == "complete" })

            // The key of the first backup is retired by now; at the new place it is the only one.
            let place = installation.folder.path("new place")
            let copied = try installation.run("copy", "primary", label, "--from", "local", "--to", place)
            try #require(copied.status == 0, "\(copied.errorText)")
            let noted = try installation.run("retain", "primary", label, "--target", place, "-F", "json")
            try expect(noted, 1, "master-key-missing", "key rotate")
            let backup = try installation.run("backup", "primary", "--target", place)
            #expect(backup.status == 0, "\(backup.errorText)")
            #expect(try installation.run("retain", "primary", label, "--target", place).status == 0)
            #expect(try installation.run("verify", "primary", label, "--target", place).status == 0)
        }

        @Test func `a key command that prints a word by mistake makes no repository that the word opens`() throws {
            let outcome = try installation.run("backup", "primary", "--key-command", "echo null", "-F", "json")
            try expect(outcome, 1, "unsupported", "fewer than 8 characters")
            // It has closed its output, and goes on.
            let endless = "echo a long passphrase; exec >&-; sleep 600"
            try expect(
                installation.run("backup", "primary", "--key-command", endless, "-F", "json"), 1, "master-key-missing",
                "longer than 30 s")
        }

        @Test func `the last recipient stays, an unknown one is named, and open key files are refused`() throws {
            _ = try installation.backup()

            let own = try masterKeyID(host)
            try expect(installation.administrate("key", "remove", own, "-F", "json"), 1, "last-recipient", own)
            try expect(installation.administrate("key", "remove", "bob", "-F", "json"), 1, "recipient-unknown", own)
            try expect(
                installation.administrate("key", "rotate", "--master-key", new, "-F", "json"), 1, "not-a-recipient", own
            )
            for path in [host, new] {
                try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
                try expect(
                    installation.administrate("key", "rotate", "--master-key", path, "-F", "json"), 1,
                    "master-key-readable", "chmod 600 \(path)")
            }
            let usage = try installation.administrate("key", "add", "-F", "json")
            try expect(usage, 2, "usage", "one new secret is needed")
            // Nobody needs a secret to see who has one.
            #expect(try key("list").list("Response", "Recipients").map { try $0.text("Recipient") } == [own, own, own])
        }

        @Test func `WAL and tar files use the secret that the user named, before and after a rotation`() throws {
            let server = try ArchivingServer(general: ["encryption = aes"])
            let key = server.installation.folder.path("home/.pgmoneta/master.key")
            let secret = ["--key-command", "cat '\(key)'"]
            try server.cluster.psql("CREATE TABLE t AS SELECT 1 AS i")
            try server.backup()
            try server.archiveSegment()
            let rotated = try server.installation.administrate("key", "rotate")
            try #require(rotated.status == 0, "\(rotated.errorText)")
            try server.giveAway()
            try server.cluster.psql("INSERT INTO t VALUES (10)")
            try server.archiveSegment()

            let folder = try server.restoreFolder()
            let restored = try server.run(secret + ["restore", "primary", "newest", "current", folder])
            try #require(restored.status == 0, "\(restored.errorText)")
            let name = try FileManager.default.contentsOfDirectory(atPath: folder)[0]
            let copy = try PostgresCluster.start(
                17, onDataFolder: "\(folder)/\(name)", settings: ["archive_mode": "off"])
            try copy.waitUntil("SELECT NOT pg_is_in_recovery()")
            #expect(try copy.psql("SELECT sum(i) FROM t") == "11")

            let tar = try server.restoreFolder()
            let archived = try server.run(secret + ["archive", "primary", "newest", tar])
            #expect(archived.status == 0, "\(archived.errorText)")
            let file = try #require(try FileManager.default.contentsOfDirectory(atPath: tar).first)
            #expect(file.hasSuffix(".aes"))
            #expect(try server.run(["decrypt", "\(tar)/\(file)"]).status == 0)
        }

        @Test func `a key object that was cut is damage, and its copy at another target heals it`() throws {
            let label = try installation.backup()
            let name = try #require(try installation.stored().first { $0.hasPrefix("keys/") && $0.hasSuffix(".json") })
            let path = installation.repository + "/" + name
            try #require(unsafe truncate(path, 100) == 0)

            try expect(restore(label, .local), 1, "key-damaged", name)
            try expect(installation.run("backup", "primary", "--target", "local", "-F", "json"), 1, "key-damaged", name)
            let elsewhere = installation.folder.path("elsewhere")
            try FileManager.default.createDirectory(atPath: elsewhere, withIntermediateDirectories: false)
            let restored = try installation.run("restore", "primary", label, elsewhere)
            #expect(restored.status == 0, "\(restored.errorText)")
            try places.s3.rclone(
                "copyto", "place:\(SeaweedServer.bucket)/\(places.prefix)/\(name)", path)

            #expect(try restore(label, .local).status == 0)
        }
    }
}
