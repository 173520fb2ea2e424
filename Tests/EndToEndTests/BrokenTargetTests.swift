import Foundation
import Synchronization
import TestSupport
import Testing

extension EndToEnd {
    /// Connections to a target that break in the middle of something, servers that start again, and servers that are too busy:
    /// a command does its work all the same or fails cleanly, and what was stored before is as it was.
    @Suite struct BrokenTargetTests {
        private let cluster: PostgresCluster
        private let places: Places
        private let installation: Installation
        private let oldest: String
        /// Volumes are long enough to go up in parts.
        private let plain = ["compression = none"]

        init() throws {
            cluster = try PostgresCluster.start(17)
            places = try Places()
            installation = try Installation(cluster, general: places.lines(general: plain))
            oldest = try installation.backup()
        }

        /// The same installation, whose S3 server is reached through something that spoils requests.
        private func spoiled(_ proxy: FaultyProxy) throws -> Installation {
            let endpoint = ["endpoint": "http://127.0.0.1:\(proxy.port)"]
            return try installation.with(general: places.lines(general: plain, changes: [.s3: endpoint]))
        }

        /// The same installation, whose SFTP server is reached through something that cuts connections.
        private func spoiled(_ relay: Relay) throws -> Installation {
            let url = ["url": places.ssh.url(port: relay.port)]
            return try installation.with(general: places.lines(general: plain, changes: [.ssh: url]))
        }

        private func run(
            _ installation: Installation, on kind: PlaceKind, _ arguments: String...
        ) throws -> ProgramOutcome {
            try installation.start(arguments + ["--target", kind.rawValue, "-F", "json"]).finish()
        }

        private func labels(on kind: PlaceKind) throws -> [String] {
            let outcome = try run(installation, on: kind, "list-backup", "primary")
            try #require(outcome.status == 0, "\(outcome.errorText)")
            return try JSONReply(outcome).list("Response", "Backups").map { try $0.text("Backup") }
        }

        /// Checks that a backup came out in one of the two ways that are allowed, that all that is listed verifies, and that the
        /// next backup succeeds.
        private func expectClean(_ outcome: ProgramOutcome, on kind: PlaceKind) throws {
            let hasWords = outcome.errorText.contains("error: ") && outcome.errorText.contains("remedy: ")
            #expect(outcome.status == 0 || outcome.status == 4 && hasWords, "\(outcome.errorText)")
            var expected = [oldest]
            if outcome.status == 0 { expected.append(try JSONReply(outcome).text("Response", "Backup")) }
            #expect(try labels(on: kind) == expected)
            let next = try run(installation, on: kind, "backup", "primary")
            #expect(next.status == 0, "\(next.errorText)")
            for label in try labels(on: kind) {
                let verified = try run(installation, on: kind, "verify", "primary", label)
                #expect(verified.status == 0, "\(verified.errorText)")
            }
        }

        @Test func `a part that is cut in the middle is sent again, and the backup succeeds`() throws {
            let proxy = try FaultyProxy(to: places.s3.httpPort) { head, repetition in
                head.contains("partNumber=2&") && repetition < 2 ? .cutRequest(after: 1_000_000) : .relay
            }

            let outcome = try run(try spoiled(proxy), on: .s3, "backup", "primary")

            let parts = proxy.heads.count { $0.contains("partNumber=2&") }
            #expect(parts >= 3)
            #expect(outcome.status == 0, "\(outcome.errorText)")
            try expectClean(outcome, on: .s3)
        }

        @Test func `a part that is cut each time fails the backup, which may be tried later`() throws {
            let proxy = try FaultyProxy(to: places.s3.httpPort) { head, _ in
                head.contains("partNumber=2&") ? .cutRequest(after: 1_000_000) : .relay
            }

            let outcome = try run(try spoiled(proxy), on: .s3, "backup", "primary")

            #expect(outcome.status == 4, "\(outcome.errorText)")
            try expectClean(outcome, on: .s3)
        }

        @Test func `an SFTP write that is cut in the middle fails the backup, which may be tried later`() throws {
            let relay = try Relay(to: places.ssh.port)
            defer { relay.close() }
            relay.set(.cut(afterByteCount: 12 << 20))

            let outcome = try run(try spoiled(relay), on: .ssh, "backup", "primary")

            #expect(relay.cutCount == 1)
            try expectClean(outcome, on: .ssh)
        }

        @Test func `a read that is cut in the middle is taken up again where it broke`() throws {
            let relay = try Relay(to: places.ssh.port)
            defer { relay.close() }
            relay.set(.cut(afterByteCount: 10 << 20))
            let proxy = try FaultyProxy(to: places.s3.httpPort) { head, repetition in
                head.contains("Range: bytes=8388608-") && repetition == 0 ? .cutAnswer(after: 3_000_000) : .relay
            }

            let overSSH = try run(try spoiled(relay), on: .ssh, "verify", "primary", oldest)
            let overS3 = try run(try spoiled(proxy), on: .s3, "verify", "primary", oldest)

            #expect(relay.cutCount == 1)
            #expect(overSSH.status == 0, "\(overSSH.errorText)")
            #expect(overS3.status == 0, "\(overS3.errorText)")
            let resumed = proxy.heads.count { $0.contains("If-Match: ") && $0.contains("-16777215") }
            #expect(resumed == 2)
        }

        /// With seeds, because which calls are hit is chance.
        @Test(arguments: [1, 2, 3] as [UInt64])
        func `with a tenth of all calls refused, backup, verify and delete succeed`(seed: UInt64) throws {
            let numbers = Mutex(SeededNumbers(seed: seed))
            let proxy = try FaultyProxy(to: places.s3.httpPort) { _, _ in
                numbers.withLock { numbers in
                    switch Int.random(in: 0..<20, using: &numbers) {
                    case 0: .answer(status: "503 Slow Down", body: "<Error><Code>SlowDown</Code></Error>")
                    case 1:
                        .answer(
                            status: "500 Internal Server Error", body: "<Error><Code>InternalError</Code></Error>")
                    default: .relay
                    }
                }
            }
            let busy = try spoiled(proxy)

            let outcome = try run(busy, on: .s3, "backup", "primary")
            let verified = try run(busy, on: .s3, "verify", "primary", "newest")
            let deleted = try run(busy, on: .s3, "delete", "primary", "newest")

            for outcome in [outcome, verified, deleted] { #expect(outcome.status == 0, "\(outcome.errorText)") }
            #expect(try labels(on: .s3) == [oldest])
            #expect(proxy.heads.count > 30)
        }

        @Test func `an SFTP server that starts again in the middle does no harm`() throws {
            let slow = try installation.with(general: places.lines(general: plain + ["max_rate = 8M"]))
            let run = try slow.start(["backup", "primary", "--target", "local,ssh", "-F", "json"])
            try installation.waitUntilStored { $0.contains("/data/.pgmoneta-tmp") }
            places.ssh.kill()
            try places.ssh.start()

            let outcome = try run.finish()

            // The local target has it, so its failure elsewhere is a partial one.
            #expect([0, 5].contains(outcome.status), "\(outcome.errorText)")
            let label = try JSONReply(outcome).text("Response", "Backup")
            #expect(try labels(on: .local) == [oldest, label])
            #expect(try labels(on: .ssh) == (outcome.status == 0 ? [oldest, label] : [oldest]))
            for kind in [PlaceKind.local, .ssh] {
                let next = try self.run(installation, on: kind, "verify", "primary", oldest)
                #expect(next.status == 0, "\(kind): \(next.errorText)")
            }
            #expect(try self.run(installation, on: .ssh, "backup", "primary").status == 0)
        }

        @Test func `an S3 server that starts again in the middle does no harm`() throws {
            let server = try SeaweedServer()
            let places = try Places(s3: server)
            let lines = places.lines(general: plain + ["max_rate = 8M"])
            let own = try Installation(cluster, general: lines)
            let oldest = try own.backup()
            let run = try own.start(["backup", "primary", "--target", "local,s3", "-F", "json"])
            try own.waitUntilStored { $0.contains("/data/.pgmoneta-tmp") }
            server.kill()
            try server.start()

            let outcome = try run.finish()

            #expect([0, 5].contains(outcome.status), "\(outcome.errorText)")
            let listed = try self.run(own, on: .s3, "list-backup", "primary")
            let found = try JSONReply(listed).list("Response", "Backups").map { try $0.text("Backup") }
            let label = try JSONReply(outcome).text("Response", "Backup")
            #expect(found == (outcome.status == 0 ? [oldest, label] : [oldest]))
            for label in found {
                let verified = try self.run(own, on: .s3, "verify", "primary", label)
                #expect(verified.status == 0, "\(verified.errorText)")
            }
            #expect(try self.run(own, on: .s3, "backup", "primary").status == 0)
        }
    }
}
