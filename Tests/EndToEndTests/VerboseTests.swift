import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// What `-v` adds: begin and end of an operation, and what was done over each target.
    @Suite struct VerboseTests {
        private let cluster: PostgresCluster
        private let installation: Installation
        private let places: Places

        init() throws {
            places = try Places()
            cluster = try PostgresCluster.start(17)
            installation = try Installation(cluster, general: places.lines())
        }

        /// The metadata of the lines of the log with a message, in order.
        private func lines(_ message: String, in outcome: ProgramOutcome) -> [[String: String]] {
            outcome.errorText.split(separator: "\n").filter { $0.hasPrefix("info: \(message) ") }.map { line in
                let fields = line.dropFirst("info: \(message) ".count).split(separator: " ")
                return Dictionary(
                    uniqueKeysWithValues: fields.map { field in
                        let parts = field.split(separator: "=", maxSplits: 1)
                        return (String(parts[0]), String(parts.last ?? ""))
                    })
            }
        }

        @Test func `a backup tells how long it took, and what was asked of each target; without -v it is quiet`() throws
        {
            let quiet = try installation.run("backup", "primary")
            let outcome = try installation.run("backup", "primary", "-v")

            #expect(quiet.errorText == "")
            #expect(outcome.status == 0)
            #expect(lines("an operation begins", in: outcome) == [["operation": "backup", "subject": "primary"]])
            let end = try #require(lines("an operation ended", in: outcome).first)
            #expect(end["operation"] == "backup")
            #expect(try #require(Int(end["duration.ms"] ?? "")) > 0)
            #expect(try #require(Int(end["done.bytes"] ?? "")) > 20_000_000)
            let targets = lines("closed a target", in: outcome)
            #expect(targets.map { $0["target"] } == ["local", "s3", "ssh"])
            for target in targets {
                #expect(target["failed.calls"] == "0" && target["retries"] == "0")
                #expect(try #require(Int(target["written.bytes"] ?? "")) > 1_000_000)
            }
            let kinds = targets.map { $0["requests.by.kind"] ?? "" }
            #expect(kinds[0] == "" && kinds[1].contains("PutObject=") && kinds[2].contains("write="))
        }

        @Test func `a small backup is restored from a bucket with at most 20 requests`() throws {
            for _ in 0..<3 { _ = try installation.backup() }

            let outcome = try installation.run(
                "restore", "primary", "newest", installation.folder.path, "--target", "s3", "-v")

            #expect(outcome.status == 0, "\(outcome.errorText)")
            let target = try #require(lines("closed a target", in: outcome).first)
            let count = try #require(Int(target["requests"] ?? ""))
            #expect(count <= 20, "\(target)")
        }
    }
}
