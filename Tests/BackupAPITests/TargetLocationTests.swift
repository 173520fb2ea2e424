import BackupAPI
import Testing

struct TargetLocationTests {
    @Test func `a URL is read in its parts`() throws {
        let location = try TargetLocation("SFTP://me@example.org:2222/srv/my%20backups/100%25")

        #expect(location.scheme == "sftp")
        #expect(location.user == "me")
        #expect(location.host == "example.org")
        #expect(location.port == 2222)
        #expect(location.path == "/srv/my backups/100%")
    }

    @Test func `an absolute path is a file URL`() throws {
        let location = try TargetLocation("/srv/100%")

        #expect(location.scheme == "file")
        #expect(location.host.isEmpty && location.path == "/srv/100%")
        #expect(location.description == "file:///srv/100%")
    }

    @Test func `an address of IPv6 stands in brackets`() throws {
        let location = try TargetLocation("sftp://[::1]:22/x")

        #expect(location.host == "::1" && location.port == 22)
        #expect(location.description == "sftp://[::1]:22/x")
    }

    @Test func `a bucket without a path has an empty path`() throws {
        let location = try TargetLocation("s3://bucket")

        #expect(location.host == "bucket" && location.path.isEmpty && location.port == nil)
    }

    @Test(arguments: [
        "", "relative/path", "://x", "s 3://x", "sftp://me:hunter2@host/x", "sftp://host:0/", "sftp://host:70000/",
        "sftp://host:x/", "sftp://[::1]x/", "file:///%zz", "file:///%0", "file:///%+1", "file:///%00", "file:///%ff",
    ])
    func `what is not well formed is refused without being repeated`(text: String) {
        let error = #expect(throws: StorageError.self) { try TargetLocation(text) }

        #expect(error?.reason == .misconfigured)
        #expect(error?.summary.contains("hunter2") == false)
    }
}
