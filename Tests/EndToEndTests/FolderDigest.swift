import Foundation
import TestSupport

/// All that two folders can differ in, as lines of text.
enum FolderDigest {
    /// Names, kinds, modes and links of everything in a folder, and sizes and digests of its files, sorted.
    /// - Parameter hasModes: whether modes count; copies that other programs made have their own.
    static func lines(_ folder: String, hasModes: Bool = true) throws -> [String] {
        let format = (hasModes ? "%m " : "") + "%y %P %l\\n"
        let names = try Program.check("/usr/bin/find", [folder, "-mindepth", "1", "-printf", format])
        let sums = try Program.check(
            "/usr/bin/find", [folder, "-type", "f", "-printf", "%s %P\\n", "-exec", "/usr/bin/sha256sum", "{}", ";"])
        return (names + sums).replacing(folder, with: "").split(separator: "\n").map(String.init).sorted()
    }
}
