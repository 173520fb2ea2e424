import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// A folder in the repository that the user may not enter.
    @Suite struct ClosedFolderTests {
        @Test func `a backup in a closed folder is one that is not valid, and all others can be used`() throws {
            let cluster = try PostgresCluster.start(17)
            let installation = try Installation(cluster)
            let closed = try installation.backup()
            let open = try installation.backup()
            try Program.check("/bin/chmod", ["000", "\(installation.repository)/primary/backup/\(closed)"])

            let list = try installation.run(asOwnerOf: cluster.dataFolder, "list-backup", "primary", "-F", "json")
            let info = try installation.run(asOwnerOf: cluster.dataFolder, "info", "primary", closed, "-F", "json")
            let verify = try installation.run(asOwnerOf: cluster.dataFolder, "verify", "primary", open)
            let backup = try installation.run(asOwnerOf: cluster.dataFolder, "backup", "primary", "-F", "json")

            try #require(list.status == 0, "\(list.errorText)")
            let listed = try JSONReply(list).list("Response", "Backups")
            #expect(
                try listed.map { try $0.text("Backup") + " " + $0.text("Valid") } == ["\(closed) no", "\(open) yes"])
            #expect(info.status == 1)
            #expect(info.errorText.contains("access denied (EACCES)"), "\(info.errorText)")
            #expect(info.errorText.contains("chown"), "\(info.errorText)")
            #expect(verify.status == 0, "\(verify.errorText)")
            #expect(backup.status == 0, "\(backup.errorText)")
            try Program.check("/bin/chmod", ["700", "\(installation.repository)/primary/backup/\(closed)"])
            #expect(try installation.run("verify", "primary", closed).status == 0)
        }
    }
}
