import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// One tar file of a backup: `tar` unpacks it, and PostgreSQL starts on what comes out.
    @Suite struct ArchiveTests {
        private let landscape: Landscape
        private let installation: Installation
        private let places: Places

        init() throws {
            landscape = try Landscape(17)
            places = try Places()
            installation = try Installation(landscape.cluster, general: places.lines(general: []))
            try #require(installation.administrate("master-key").status == 0)
        }

        /// Unpacks a tar file, starts PostgreSQL on what was in it, and compares the rows.
        private func expectStarts(on command: String, _ label: String, _ rows: [String]) throws {
            let folder = try TemporaryFolder()
            try Program.check("/bin/sh", ["-c", "set -e; cd \"$1\"; \(command) | tar x", "sh", folder.path])
            let data = folder.path("primary-\(label)")
            try #require(try Program.run(landscape.cluster.bin("pg_verifybackup"), [data]).status == 0)
            let owner = try Program.check("/usr/bin/stat", ["-c", "%u:%g", landscape.cluster.dataFolder])
            try Program.check("/bin/chown", ["-R", owner.trimmingCharacters(in: .whitespacesAndNewlines), folder.path])
            let copy = try PostgresCluster.start(17, onDataFolder: data, settings: ["autovacuum": "off"])
            #expect(try Landscape.fingerprint(copy, hasBigTable: false) == rows)
            // Another backup of it has all of its tablespaces.
            try copy.psql("CREATE TABLE new TABLESPACE one AS SELECT 1 AS i; CHECKPOINT")
            let again = try Installation(copy)
            _ = try again.backup()
            let info = try again.run("info", "primary", "newest", "-F", "json")
            #expect(try JSONReply(info).number("Response", "NumberOfTablespaces") == 2)
        }

        private func run(_ arguments: String...) throws -> ProgramOutcome {
            try installation.start(["archive", "primary"] + arguments).finish()
        }

        private func expectRefusal(_ code: String, _ status: Int32, _ arguments: String...) throws {
            let outcome = try installation.start(["archive", "primary"] + arguments + ["-F", "json"]).finish()
            #expect(outcome.status == status, "\(outcome.text)\(outcome.errorText)")
            #expect(try JSONReply(outcome).text("Outcome", "Code") == code)
            #expect(outcome.errorText.contains("remedy: "))
        }

        @Test func `the manual's command makes a tar file that PostgreSQL starts on`() throws {
            let rows = try Landscape.fingerprint(landscape.cluster, hasBigTable: false)
            let label = try installation.backup()
            let folder = try TemporaryFolder()

            let outcome = try run("newest", "current", folder.path + "/", "-F", "json")

            try #require(outcome.status == 0, "\(outcome.errorText)")
            let file = folder.path("primary-\(label).tar.zstd")
            #expect(try JSONReply(outcome).text("Response", "Archive") == file)
            let size = try Program.check("/usr/bin/stat", ["-c", "%s", file])
            #expect(try JSONReply(outcome).number("Response", "ArchiveSize") == Int(size.filter(\.isNumber)))
            #expect(try folder.tree() == ["primary-\(label).tar.zstd"])
            try expectStarts(on: "zstd -dc '\(file)'", label, rows)
        }

        @Test func `an encrypted archive of a chain is decrypted, unpacked and started`() throws {
            try landscape.cluster.psql("ALTER SYSTEM SET summarize_wal = on; SELECT pg_reload_conf()")
            _ = try installation.backup()
            try landscape.cluster.psql(
                "UPDATE plain SET t = 'changed' WHERE i % 100 = 0; INSERT INTO aside VALUES (9999, 'new'); CHECKPOINT")
            let rows = try Landscape.fingerprint(landscape.cluster, hasBigTable: false)
            let child = try installation.backup(on: "newest")
            let folder = try TemporaryFolder()

            let outcome = try run(
                "newest", folder.path, "--compression", "gzip", "--level", "1", "--encryption", "aes-128-ctr")

            try #require(outcome.status == 0, "\(outcome.errorText)")
            let file = folder.path("primary-\(child).tar.gz")
            let decrypted = try installation.run("decrypt", file + ".aes")
            try #require(decrypted.status == 0, "\(decrypted.errorText)")
            try expectStarts(on: "gzip -dc '\(file)'", child, rows)
        }

        @Test func `it goes to a bucket, an SFTP server and standard output, with the same bytes`() throws {
            let label = try installation.backup()
            let name = "primary-\(label).tar"
            let folder = try TemporaryFolder()
            let streamed = folder.path("streamed")

            let stream = try installation.run(
                "archive", "primary", label, "-", "--compression", "none", "-F", "json", output: streamed)
            try #require(stream.status == 0, "\(stream.errorText)")
            #expect(stream.errorText.contains(#""Archive": "-""#), "\(stream.errorText)")
            let listed = try Program.check("/bin/tar", ["tf", streamed])
            #expect(listed.contains("primary-\(label)/backup_manifest\n"))

            for kind in PlaceKind.allCases {
                let url = places.url(kind, of: installation)
                let outcome = try run(label, url, "--compression", "none")
                try #require(outcome.status == 0, "\(kind): \(outcome.errorText)")
                try expectRefusal("storage-already-exists", 1, label, url, "--compression", "none")
                let copies = folder.path("from-\(kind)")
                try places.download(kind, of: installation, to: copies)
                let same = try Program.run("/usr/bin/cmp", [streamed, "\(copies)/\(name)"])
                #expect(same.status == 0, "\(kind): \(same.text)\(same.errorText)")
            }
        }

        @Test func `what is wrong is said at once, and nothing is left behind`() throws {
            let label = try installation.backup()
            let folder = try TemporaryFolder()

            try expectRefusal("file-failed", 1, "newest", folder.path("missing"))
            try expectRefusal("usage", 2, "newest", "time=2026-01-01 00:00:00", folder.path)
            try expectRefusal("usage", 2, "newest", folder.path, "--compression", "middle-out")
            try expectRefusal("unknown-backup", 1, "19990101000000", folder.path)
            try folder.write(Array("mine".utf8), to: "primary-\(label).tar.zstd")
            try expectRefusal("storage-already-exists", 1, "newest", folder.path)
            #expect(try folder.read("primary-\(label).tar.zstd") == Array("mine".utf8))
            let forced = try run("newest", folder.path, "--force")
            #expect(forced.status == 0, "\(forced.errorText)")
            try Program.check("/usr/bin/zstd", ["-qt", folder.path("primary-\(label).tar.zstd")])

            let volume = "\(installation.repository)/primary/backup/\(label)/data/base.000001.tar.zstd"
            let handle = try #require(FileHandle(forUpdatingAtPath: volume))
            try handle.seek(toOffset: 200_000)
            try handle.write(contentsOf: Data([0xFF, 0x00, 0xFF, 0x00]))
            try handle.close()
            let damaged = try TemporaryFolder()
            try expectRefusal("object-damaged", 1, "newest", damaged.path, "--target", "local")
            #expect(try damaged.tree() == [])
        }
    }
}
