import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Targets that take no more.
    @Suite(.enabled(if: geteuid() == 0, SmallDisk.need))
    struct TargetFaultTests {
        @Test func `a full disk ends the backup with its reason and leaves nothing; with room the next one succeeds`()
            throws
        {
            let cluster = try PostgresCluster.start(17)
            try SmallDisk.with(sizeInMebibytes: 8) { disk in
                let installation = try Installation(
                    cluster, repository: disk.path + "/repository", general: ["compression = none"])

                let outcome = try installation.run("backup", "primary", "-F", "json")

                try expectFailure(outcome, status: 1, code: "storage-no-space", words: "cannot write", "Free space")
                #expect(try installation.remains() == [])
                try disk.remount("size=200m")
                let label = try installation.backup()
                #expect(try installation.labels() == [label])
                #expect(try installation.remains() == [])
            }
        }

        @Test func `one full target of two does not spoil the other, and the exit code says so`() throws {
            let cluster = try PostgresCluster.start(17)
            try SmallDisk.with(sizeInMebibytes: 8) { disk in
                let installation = try Installation(
                    cluster,
                    general: [
                        "compression = none", "target = local, small", "[target:small]",
                        "url = file://\(disk.path)/repository",
                    ])

                let outcome = try installation.run("backup", "primary", "-F", "json")

                try expectFailure(
                    outcome, status: 5, code: "some-targets-failed", words: "is not on small (", "no space")
                let reply = try JSONReply(outcome)
                let targets = try reply.list("Response", "Targets").map {
                    try $0.text("Target") + " " + $0.text("Status")
                }
                #expect(targets == ["local complete", "small failed"])
                #expect(try installation.labels() == [reply.text("Response", "Backup")])
                #expect(try installation.run("verify", "primary", "newest").status == 0)
                let left = try Program.check("/usr/bin/find", [disk.path, "-path", "*/backup/*"])
                #expect(left == "")
            }
        }

        @Test func `a read-only target is refused and can still be listed`() throws {
            let cluster = try PostgresCluster.start(17)
            try SmallDisk.with(sizeInMebibytes: 100) { disk in
                let installation = try Installation(cluster, repository: disk.path + "/repository")
                let label = try installation.backup()
                try disk.remount("ro")

                let outcome = try installation.run("backup", "primary", "-F", "json")

                try expectFailure(outcome, status: 1, code: "storage-read-only", words: "remount,rw")
                #expect(try installation.labels() == [label])
                #expect(try installation.run("verify", "primary", label).status == 0)
            }
        }
    }
}

/// Checks how a command failed: its exit code, its code in the reply, and words in `error:` and `remedy:`.
func expectFailure(
    _ outcome: ProgramOutcome, status: Int32, code: String, words: String...,
    sourceLocation: SourceLocation = #_sourceLocation
) throws {
    #expect(outcome.status == status, "\(outcome.errorText)", sourceLocation: sourceLocation)
    #expect(try JSONReply(outcome).text("Outcome", "Code") == code, sourceLocation: sourceLocation)
    let lines = outcome.errorText.split(separator: "\n").filter { !$0.hasPrefix("interrupted: ") }
    #expect(
        lines.count == 2 && lines[0].hasPrefix("error: ") && lines[1].hasPrefix("remedy: "), "\(outcome.errorText)",
        sourceLocation: sourceLocation)
    for word in words {
        #expect(outcome.errorText.contains(word), "\(outcome.errorText)", sourceLocation: sourceLocation)
    }
}
