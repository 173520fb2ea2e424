import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// The same everywhere: one lifecycle gives the same objects, replies and restored files on every kind of place.
    @Suite struct ParityTests {
        /// The commands of the lifecycle behind `backup`, in their order; each is run on one kind of place after the other.
        /// `FOLDER` stands for a folder of that kind's own. A command that is added here is compared without more ado.
        private static let steps = [
            ["list-backup", "primary"],
            ["list-backup", "primary", "--sort", "desc"],
            ["info", "primary", "newest"],
            ["info", "primary", "oldest"],
            ["verify", "primary", "newest", "all"],
            ["verify", "primary", "newest", "all", "--quick"],
            [
                "restore", "primary", "newest", "FOLDER", "--tablespace-mapping=ONE=FOLDER/one",
                "--tablespace-mapping=TWO=FOLDER/two",
            ],
        ]

        @Test(arguments: [["compression = zstd"], ["compression = lz4", "encryption = aes-256-gcm"]])
        func `one lifecycle is the same on a directory, a bucket and an SFTP server`(codecs: [String]) throws {
            let landscape = try Landscape(17)
            let places = try Places()
            let installation = try Installation(landscape.cluster, general: places.lines(general: codecs))
            try #require(installation.administrate("master-key").status == 0)

            let label = try installation.backup()
            for step in Self.steps {
                let replies = try PlaceKind.allCases.map { kind in
                    try reply(to: step, on: kind, of: installation, landscape)
                }
                #expect(Set(replies).count == 1, "\(step): \(replies.joined(separator: "\n"))")
            }

            try expectSameRestoredFiles(installation, label)
            try expectSameObjects(installation, places, label)
        }

        /// Runs a step on one kind of place.
        /// - Returns: exit code and reply, without times and with a common name for the place.
        private func reply(
            to step: [String], on kind: PlaceKind, of installation: Installation, _ landscape: Landscape
        ) throws -> String {
            let folder = folder(of: kind, installation)
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let arguments = step.map {
                $0.replacing("FOLDER", with: folder).replacing("ONE", with: landscape.tablespaces[0])
                    .replacing("TWO", with: landscape.tablespaces[1])
            }
            let outcome = try installation.start(arguments + ["--target", kind.rawValue, "-F", "json"]).finish()
            #expect(outcome.status == 0, "\(step) on \(kind): \(outcome.errorText)")
            #expect(outcome.errorText == "", "\(step) on \(kind)")
            return "\(outcome.status) "
                + (try JSONReply(outcome).comparable([folder: "FOLDER", kind.rawValue: "TARGET"]))
        }

        private func folder(of kind: PlaceKind, _ installation: Installation) -> String {
            installation.folder.path("restored-to-\(kind)")
        }

        private func expectSameRestoredFiles(_ installation: Installation, _ label: String) throws {
            let trees = try PlaceKind.allCases.map { kind in
                let folder = folder(of: kind, installation)
                return try FolderDigest.lines(folder).map { $0.replacing(folder, with: "FOLDER") }
            }
            #expect(trees[0].contains { $0.hasSuffix("/global/pg_control") || $0.contains("/global/pg_control ") })
            #expect(trees[0].count > 2000)
            for tree in trees { #expect(tree == trees[0]) }
        }

        /// Compares what other programs find in the places, and lets `sha512sum` check it.
        private func expectSameObjects(_ installation: Installation, _ places: Places, _ label: String) throws {
            let trees = try PlaceKind.allCases.map { kind in
                let folder = installation.folder.path("downloaded-from-\(kind)")
                try places.download(kind, of: installation, to: folder)
                try expectChecksums(in: "\(folder)/primary/backup/\(label)")
                return try FolderDigest.lines("\(folder)/primary", hasModes: false)
            }
            #expect(trees[0].contains { $0.contains("backup.info") })
            for tree in trees { #expect(tree == trees[0]) }
        }

        private func expectChecksums(in folder: String) throws {
            let outcome = try Program.run(
                "/bin/sh", ["-c", "cd \"$1\" && sha512sum --check backup.sha512", "sh", folder])
            #expect(outcome.status == 0, "\(outcome.text)\(outcome.errorText)")
            #expect(outcome.text.split(separator: "\n").count >= 6)
        }
    }
}
