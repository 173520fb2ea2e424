import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Two machines that work on the same backups in one bucket.
    @Suite struct TwoMachinesTests {
        private static let machines = ["machine-a", "machine-b"]
        private let cluster: PostgresCluster
        private let server: SeaweedServer
        private let prefix: String
        private let installation: Installation
        private let slow: Installation

        init() throws {
            cluster = try PostgresCluster.start(17)
            server = try SeaweedServer.shared()
            prefix = "machines/" + String(UInt64.random(in: .min ... .max), radix: 36)
            let target =
                ["[target:s3]", "url = \(server.url(prefix: prefix))"] + server.settings().map { "\($0) = \($1)" }
            installation = try Installation(cluster, general: ["target = s3"] + target)
            slow = try installation.with(general: ["target = s3", "max_rate = 4M"] + target)
        }

        /// How a command ended on a machine.
        private struct End {
            let machine: String
            let arguments: [String]
            let outcome: ProgramOutcome

            var isDone: Bool { outcome.status == 0 }

            /// Whether another run was in the way, and the command said which, on which machine.
            func isBusy(_ machine: String, _ purpose: String) throws -> Bool {
                let said = outcome.errorText
                return try outcome.status == 4 && JSONReply(outcome).text("Outcome", "Code") == "busy"
                    && said.firstMatch(of: try Regex("\(purpose) of 'primary' by process \\d+ on \(machine), until"))
                        != nil
                    && said.contains("remedy: ")
            }

            var description: String { "\(machine): \(arguments): \(outcome.status) \(outcome.errorText)" }
        }

        private func start(_ arguments: [String], on machine: String) throws -> () throws -> End {
            let run = try installation.start(arguments + ["-F", "json"], on: machine)
            return { End(machine: machine, arguments: arguments, outcome: try run.finish()) }
        }

        private func run(_ arguments: [String], on machine: String) throws -> End {
            try start(arguments, on: machine)()
        }

        private func comments(_ label: String, on machine: String) throws -> Set<Substring> {
            let end = try run(["info", "primary", label], on: machine)
            try #require(end.isDone, "\(end.description)")
            return Set(try JSONReply(end.outcome).text("Response", "Comments").split(separator: ","))
        }

        private func expectSound(_ labels: [String]) throws {
            #expect(try installation.labels() == labels)
            for label in labels {
                let end = try run(["verify", "primary", label, "--quick"], on: Self.machines[0])
                #expect(end.isDone, "\(end.description)")
            }
        }

        /// The names of everything in the bucket below a folder.
        private func stored(_ folder: String) throws -> String {
            let place = "place:\(SeaweedServer.bucket)/\(prefix)/primary/\(folder)"
            // A folder without objects is none.
            return (try? server.rclone("lsf", "-R", "--files-only", place)) ?? ""
        }

        @Test
        func
            `while one machine backs up, the other annotates, and is told who is at work when it wants to back up or delete`()
            throws
        {
            let (first, second) = (try installation.backup(), try installation.backup())
            let backup = try slow.start(["backup", "primary", "-F", "json"], on: "machine-a")
            try Waiting.until("a backup begins") { try !stored("lease/backup").isEmpty }

            let refused = try [
                ["backup", "primary"], ["delete", "primary", first], ["retention", "primary"],
            ].map { try run($0, on: "machine-b") }
            let notes = try (0..<6).map {
                try start(["annotate", "primary", second, "add", "key\($0)", "\($0)"], on: Self.machines[$0 % 2])
            }
            for note in notes {
                let end = try note()
                #expect(end.isDone, "\(end.description)")
            }
            let kept = try run(["retain", "primary", first], on: "machine-b")
            let outcome = try backup.finish()

            for end in refused { #expect(try end.isBusy("machine-a", "backup"), "\(end.description)") }
            #expect(kept.isDone, "\(kept.description)")
            try #require(outcome.status == 0, "\(outcome.errorText)")
            let third = try JSONReply(outcome).text("Response", "Backup")
            for machine in Self.machines {
                #expect(try comments(second, on: machine) == Set((0..<6).map { "key\($0)|\($0)" }))
            }
            try expectSound([first, second, third])
            #expect(try run(["delete", "primary", second], on: "machine-b").isDone)
            try expectSound([first, third])
        }

        @Test func `two machines that do everything at once lose nothing that one of them said was done`() throws {
            var labels = [try installation.backup(), try installation.backup()]
            let noted = labels[1]
            var expected: Set<Substring> = []
            var busyCount = 0

            for round in 0..<4 {
                let doomed = labels[round == 0 ? 0 : labels.count - 1]
                let isDeletable = doomed != noted
                var running: [() throws -> End] = []
                for machine in Self.machines {
                    running.append(try start(["backup", "primary"], on: machine))
                    running.append(
                        try start(["annotate", "primary", noted, "add", "\(machine)-\(round)", "x"], on: machine))
                    if isDeletable { running.append(try start(["delete", "primary", doomed], on: machine)) }
                }
                let ends = try running.map { try $0() }
                let isDeleted = ends.contains { $0.arguments[0] == "delete" && $0.isDone }

                for end in ends {
                    switch (end.arguments[0], end.isDone) {
                    case ("annotate", true): expected.insert(Substring("\(end.machine)-\(round)|x"))
                    case ("backup", true): labels.append(try JSONReply(end.outcome).text("Response", "Backup"))
                    case ("delete", true): labels.removeAll { $0 == doomed }
                    case ("annotate", false): Issue.record("\(end.description)")
                    default:
                        busyCount += 1
                        // Who comes behind a deletion that is done finds nothing to delete.
                        let isGone = end.arguments[0] == "delete" && isDeleted && end.outcome.status == 1
                        let isTold = try Self.machines.contains {
                            try end.isBusy($0, "(backup|delete)")
                        }
                        #expect(isGone || isTold, "\(end.description)")
                    }
                }
                labels.sort()
                try expectSound(labels)
            }

            #expect(busyCount > 0, "nobody was in anybody's way")
            for machine in Self.machines { #expect(try comments(noted, on: machine) == expected) }
            #expect(try stored("lease").isEmpty)
            labels.append(try installation.backup())
            try expectSound(labels.sorted())
        }

        @Test
        func `notes that one machine makes while the other deletes the backup are told to be lost, or gone with it`()
            throws
        {
            let label = try installation.backup()
            _ = try installation.backup()
            let notes = try (0..<4).map {
                try start(["annotate", "primary", label, "add", "key\($0)", "x"], on: "machine-a")
            }
            let deletion = try run(["delete", "primary", label], on: "machine-b")

            #expect(deletion.isDone, "\(deletion.description)")
            for note in notes {
                let end = try note()
                let isTold = try end.isDone || JSONReply(end.outcome).text("Outcome", "Code") == "unknown-backup"
                #expect(isTold, "\(end.description)")
            }
            #expect(try !stored("backup").contains(label))
            _ = try installation.backup()
            #expect(try !stored("notes").contains(label))
        }
    }
}
