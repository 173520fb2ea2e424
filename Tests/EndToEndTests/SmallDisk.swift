import Foundation
import TestSupport
import Testing

/// A small file system in memory. Mounting needs root.
struct SmallDisk {
    /// Why tests with one are skipped.
    static let need: Comment = "mounting a tmpfs needs root: run the tests as root, as CI does"
    let path: String

    /// Mounts a file system for the length of `body`.
    static func with(sizeInMebibytes: Int, _ body: (SmallDisk) throws -> Void) throws {
        let folder = try TemporaryFolder()
        try Program.check("/bin/mount", ["-t", "tmpfs", "-o", "size=\(sizeInMebibytes)m", "tmpfs", folder.path])
        let outcome = Result { try body(SmallDisk(path: folder.path)) }
        try Program.check("/bin/umount", [folder.path])
        try outcome.get()
    }

    /// Mounts it again with other options, such as `ro`.
    func remount(_ options: String) throws { try Program.check("/bin/mount", ["-o", "remount,\(options)", path]) }
}
