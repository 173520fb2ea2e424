import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// The same everywhere: one lifecycle gives the same objects, replies and restored files on every kind of place.
    @Suite struct ParityTests {
        /// A command of the lifecycle; it is run on one kind of place after the other.
        private struct Step {
            /// `FOLDER` stands for a folder of that kind's own.
            let arguments: [String]
            var status: Int32 = 0

            init(_ arguments: String..., status: Int32 = 0) {
                self.arguments = arguments
                self.status = status
            }

            /// A restore into `FOLDER`, with tablespaces whose names have a suffix of its own.
            static func restore(_ identifier: String, _ suffix: String) -> Step {
                Step(
                    "restore", "primary", identifier, "FOLDER", "--tablespace-mapping=ONE=FOLDER/one-\(suffix)",
                    "--tablespace-mapping=TWO=FOLDER/two-\(suffix)")
            }
        }

        /// What is asked about a full backup. A command that is added here is compared without more ado.
        private static let looks = [
            Step("list-backup", "primary"), Step("list-backup", "primary", "--sort", "desc"),
            Step("info", "primary", "newest"), Step("info", "primary", "oldest"),
            Step("verify", "primary", "newest", "all"), Step("verify", "primary", "newest", "all", "--quick"),
            .restore("newest", "full"),
            Step("archive", "primary", "newest", "current", "FOLDER", "--encryption", "none"),
            Step("archive", "primary", "newest", "FOLDER", "--encryption", "none", status: 1),
        ]

        /// What is done with an incremental backup on it, up to the end of both.
        private static let chainSteps = [
            Step("list-backup", "primary"), Step("info", "primary", "newest"), Step("info", "primary", "oldest"),
            Step("verify", "primary", "newest", "all"), .restore("newest", "chain"),
            Step("archive", "primary", "newest", "FOLDER", "--encryption", "none"),
            Step("annotate", "primary", "newest", "add", "key", "words"),
            Step("annotate", "primary", "newest", "update", "key", "other words"),
            Step("annotate", "primary", "newest", "remove", "nothing", status: 1),
            Step("retain", "primary", "newest", "--cascade"), Step("list-backup", "primary"),
            Step("delete", "primary", "oldest", "--cascade", status: 1),
            Step("expunge", "primary", "newest", "--cascade"), Step("info", "primary", "newest"),
            Step("retention", "primary", "--dry-run"), Step("retention", "primary"),
            Step("wal", "ls", "primary"), Step("status"), Step("status", "details"),
            Step("delete", "primary", "oldest", status: 1), Step("list-backup", "primary"),
            Step("delete", "primary", "oldest", "--cascade"), Step("list-backup", "primary"),
            Step("info", "primary", "newest", status: 1),
        ]

        @Test(arguments: [
            (17, ["compression = zstd"]), (15, ["compression = lz4", "encryption = aes-256-gcm"]),
        ])
        func `one lifecycle is the same on a directory, a bucket and an SFTP server`(
            major: Int, codecs: [String]
        ) throws {
            let landscape = try Landscape(major)
            let places = try Places()
            let installation = try Installation(landscape.cluster, general: places.lines(general: codecs))
            try #require(installation.administrate("master-key").status == 0)
            let label = try installation.backup()

            try expectSameReplies(to: Self.looks, installation, landscape)
            try landscape.cluster.psql("UPDATE plain SET t = 'changed' WHERE i % 1000 = 0; CHECKPOINT")
            let child = try installation.backup(on: "newest")
            for label in [label, child] { try expectSameObjects(installation, places, label) }
            try expectSameReplies(to: Self.chainSteps, installation, landscape)

            try expectSameRestoredFiles(installation)
            for kind in PlaceKind.allCases {
                let folder = installation.folder.path("at-last-from-\(kind)")
                try places.download(kind, of: installation, to: folder)
                let left = try Program.check("/usr/bin/find", [folder, "-type", "f", "-path", "*/backup/*"])
                #expect(left == "", "\(kind)")
            }
        }

        private func expectSameReplies(
            to steps: [Step], _ installation: Installation, _ landscape: Landscape
        ) throws {
            for step in steps {
                let replies = try PlaceKind.allCases.map { try reply(to: step, on: $0, of: installation, landscape) }
                for (kind, reply) in zip(PlaceKind.allCases, replies).dropFirst() {
                    let others = TextDifference.lines(replies[0], reply)
                    #expect(others == [], "\(step.arguments.prefix(3)) on \(kind), against \(PlaceKind.allCases[0])")
                }
            }
        }

        /// Runs a step on one kind of place.
        /// - Returns: the reply, without times and with a common name for the place.
        private func reply(
            to step: Step, on kind: PlaceKind, of installation: Installation, _ landscape: Landscape
        ) throws -> String {
            let folder = folder(of: kind, installation)
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let arguments = step.arguments.map {
                $0.replacing("FOLDER", with: folder).replacing("ONE", with: landscape.tablespaces[0])
                    .replacing("TWO", with: landscape.tablespaces[1])
            }
            let outcome = try installation.start(arguments + ["--target", kind.rawValue, "-F", "json"]).finish()
            // One value, so that a failure's first line says what there is to know.
            let (status, said) = (outcome.status, outcome.errorText.prefix(300))
            let hasKept = status == step.status && said.isEmpty == (step.status == 0)
            #expect(hasKept, "\(step.arguments.prefix(3)) on \(kind): exit \(status), \(said)")
            return try JSONReply(outcome).comparable([folder: "FOLDER", kind.rawValue: "TARGET"])
        }

        private func folder(of kind: PlaceKind, _ installation: Installation) -> String {
            installation.folder.path("restored-to-\(kind)")
        }

        private func expectSameRestoredFiles(_ installation: Installation) throws {
            let trees = try PlaceKind.allCases.map { kind in
                let folder = folder(of: kind, installation)
                return try FolderDigest.lines(folder).map { $0.replacing(folder, with: "FOLDER") }
            }
            let controls = trees[0].count { $0.contains("/global/pg_control") }
            #expect(controls == 6, "name, size and digest for each of two restores")
            #expect(trees[0].count { $0.contains(".tar.") } == 6, "name, size and digest of each of two archives")
            expectSame(trees)
        }

        private func expectSame(_ trees: [[String]]) {
            for (kind, tree) in zip(PlaceKind.allCases, trees).dropFirst() {
                let others = TextDifference.lines(trees[0], tree)
                #expect(others == [], "\(kind), against \(PlaceKind.allCases[0])")
            }
        }

        /// Compares what other programs find in the places, and lets `sha512sum` check it.
        private func expectSameObjects(_ installation: Installation, _ places: Places, _ label: String) throws {
            let trees = try PlaceKind.allCases.map { kind in
                let folder = installation.folder.path("downloaded-\(label)-from-\(kind)")
                try places.download(kind, of: installation, to: folder)
                try expectChecksums(in: "\(folder)/primary/backup/\(label)")
                return try FolderDigest.lines("\(folder)/primary", hasModes: false)
            }
            let records = trees[0].count { $0.contains("\(label)/backup.info") }
            #expect(records == 3, "name, size and digest")
            expectSame(trees)
        }

        private func expectChecksums(in folder: String) throws {
            let outcome = try Program.run(
                "/bin/sh", ["-c", "cd \"$1\" && sha512sum --check backup.sha512", "sh", folder])
            #expect(outcome.status == 0, "\(outcome.text)\(outcome.errorText)")
            #expect(outcome.text.split(separator: "\n").count >= 6)
        }
    }
}
