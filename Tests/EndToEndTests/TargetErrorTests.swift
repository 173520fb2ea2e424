import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Targets that are configured wrongly: each fault is told with what to do, and no secret is shown anywhere.
    @Suite struct TargetErrorTests {
        /// A wrong setting, and how it is told.
        struct Fault: Sendable, CustomTestStringConvertible {
            let testDescription: String
            let kind: PlaceKind
            let settings: @Sendable (Places) -> [String: String]
            let status: Int32
            let code: String
            let words: [String]
        }

        private static let wrongSecret = "WRONG+secret/7f1d"

        private static let faults = [
            Fault(
                testDescription: "wrong secret", kind: .s3, settings: { _ in ["secret_access_key": wrongSecret] },
                status: 1, code: "storage-not-authenticated",
                words: ["SignatureDoesNotMatch", "\nremedy: Check 'secret_access_key'"]),
            Fault(
                testDescription: "unknown access key", kind: .s3, settings: { _ in ["access_key_id": "AKIDNOBODY"] },
                status: 1, code: "storage-not-authenticated", words: ["\nremedy: Check 'access_key_id'"]),
            Fault(
                testDescription: "identity that may only read", kind: .s3,
                settings: { _ in ["access_key_id": SeaweedServer.readerAccessKeyID] }, status: 1,
                code: "storage-permission-denied", words: ["AccessDenied", "\nremedy: Grant s3:GetObject"]),
            Fault(
                testDescription: "certificate for another name", kind: .s3,
                settings: { ["endpoint": "https://127.0.0.1:\($0.s3.httpsPort)"] }, status: 1,
                code: "storage-not-authenticated", words: ["\nremedy: Check that 'endpoint' has the host name"]),
            Fault(
                testDescription: "certificate of an unknown authority", kind: .s3, settings: { _ in ["ca_file": ""] },
                status: 1, code: "storage-not-authenticated", words: ["ca_file"]),
            Fault(
                testDescription: "bucket that is not there", kind: .s3, settings: { _ in ["url": "s3://nowhere/x"] },
                status: 2, code: "storage-misconfigured",
                words: ["NoSuchBucket", "\nremedy: Create the bucket 'nowhere'"]),
            Fault(
                testDescription: "unknown host key", kind: .ssh,
                settings: { ["known_hosts_file": $0.ssh.files.path("empty")] }, status: 1,
                code: "storage-not-authenticated", words: ["host key is known for", "ssh-keyscan"]),
            Fault(
                testDescription: "changed host key", kind: .ssh,
                settings: { ["known_hosts_file": $0.ssh.files.path("changed")] }, status: 1,
                code: "storage-not-authenticated", words: ["IDENTIFICATION HAS CHANGED", "ssh-keygen -R"]),
            Fault(
                testDescription: "key that may not log in", kind: .ssh,
                settings: { ["private_key_file": $0.ssh.files.path("stranger")] }, status: 1,
                code: "storage-not-authenticated", words: ["Permission denied", "authorized_keys"]),
        ]

        private let cluster: PostgresCluster
        private let places: Places

        init() throws {
            cluster = try PostgresCluster.start(17)
            places = try Places()
        }

        @Test(arguments: faults)
        func `a wrong setting is told with its remedy, and no secret`(fault: Fault) throws {
            let installation = try Installation(
                cluster, general: places.lines(changes: [fault.kind: fault.settings(places)]))
            let target = fault.kind.rawValue

            let outcome = try installation.run("backup", "primary", "--target", target, "-F", "json")
            let checked = try installation.run("target", "check", target, "-F", "json", "-v")
            let logged = try installation.run("backup", "primary", "--target", target, "-v")

            try expectFailure(outcome, status: fault.status, code: fault.code)
            for word in fault.words { #expect(outcome.errorText.contains(word), "\(outcome.errorText)") }
            #expect(logged.status == fault.status)
            #expect(checked.status != 0)
            for text in [outcome, logged, checked].flatMap({ [$0.text, $0.errorText] }) {
                #expect(!text.contains(Self.wrongSecret) && !text.contains(SeaweedServer.secret))
            }
        }

        @Test func `a clock that is an hour slow is named, with the difference and the remedy`() throws {
            let date = try Program.check("/bin/date", ["-u", "-d", "+1 hour", "+%a, %d %b %Y %H:%M:%S GMT"])
            let proxy = try FaultyProxy(to: places.s3.httpPort) { _, _ in
                .answer(
                    status: "403 Forbidden", headers: "Date: \(date.filter { $0 != "\n" })\r\n",
                    body: "<Error><Code>RequestTimeTooSkewed</Code></Error>")
            }
            let endpoint = ["endpoint": "http://127.0.0.1:\(proxy.port)"]
            let installation = try Installation(cluster, general: places.lines(changes: [.s3: endpoint]))

            let outcome = try installation.run("backup", "primary", "--target", "s3", "-F", "json")

            try expectFailure(
                outcome, status: 1, code: "storage-not-authenticated",
                words: "RequestTimeTooSkewed; the clocks differ by 3", "s, this machine's is slow",
                "\nremedy: Set the clock of this machine")
        }

        @Test func `no secret is in the log or the command line of a backup that goes well`() throws {
            let installation = try Installation(cluster, general: places.lines(general: ["max_rate = 8M"]))
            let run = try installation.start(["backup", "primary", "-v"])
            try installation.waitUntilStored { $0.contains("/data/.pgmoneta-tmp") }

            let processes = try Program.check("/bin/ps", ["axww", "-o", "args"])
            let outcome = try run.finish()

            #expect(outcome.status == 0, "\(outcome.errorText)")
            #expect(processes.contains("pgmoneta-cli") && processes.contains("ssh"))
            for text in [processes, outcome.text, outcome.errorText] { #expect(!text.contains(SeaweedServer.secret)) }
        }
    }
}
