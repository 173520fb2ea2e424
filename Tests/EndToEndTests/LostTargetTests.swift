import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// A target that is lost while a backup goes to several.
    @Suite struct LostTargetTests {
        @Test func `a server that is killed in the middle costs its own copy only, and copy makes up for it`() throws {
            let cluster = try PostgresCluster.start(17)
            let server = try SeaweedServer()
            let places = try Places(s3: server)
            let slow = ["compression = none", "max_rate = 4M"]
            let installation = try Installation(cluster, general: places.lines(general: slow))

            let run = try installation.start(["backup", "primary", "-F", "json"])
            try waitUntilSentInParts(installation)
            server.kill()
            let outcome = try run.finish()

            try expectFailure(
                outcome, status: 5, code: "some-targets-failed", words: "is not on s3 (", "s3://tests/", "copy this one"
            )
            let reply = try JSONReply(outcome)
            let label = try reply.text("Response", "Backup")
            #expect(try statuses(reply) == ["local complete", "s3 failed", "ssh complete"])
            try server.start()
            #expect(try labels(installation, on: "s3") == [])
            let copied = try installation.run("copy", "primary", label, "--from", "ssh", "--to", "s3")
            #expect(copied.status == 0, "\(copied.errorText)")
            for kind in PlaceKind.allCases {
                #expect(try labels(installation, on: kind.rawValue) == [label])
                let verified = try installation.run("verify", "primary", label, "--target", kind.rawValue)
                #expect(verified.status == 0, "\(kind): \(verified.text)\(verified.errorText)")
            }
            #expect(try installation.remains() == [])
        }

        /// Waits until more than one part of a volume is stored locally, which is written no faster than the others.
        private func waitUntilSentInParts(_ installation: Installation) throws {
            try installation.waitUntilStored { path in
                let status = try? FileManager.default.attributesOfItem(atPath: installation.repository + "/" + path)
                return path.contains("/data/.pgmoneta-tmp") && (status?[.size] as? Int ?? 0) > 9 << 20
            }
        }

        private func statuses(_ reply: JSONReply) throws -> [String] {
            try reply.list("Response", "Targets").map { try $0.text("Target") + " " + $0.text("Status") }
        }

        private func labels(_ installation: Installation, on target: String) throws -> [String] {
            let outcome = try installation.run("list-backup", "primary", "--target", target, "-F", "json")
            try #require(outcome.status == 0, "\(outcome.errorText)")
            return try JSONReply(outcome).list("Response", "Backups").map { try $0.text("Backup") }
        }
    }
}
