import Foundation
import TestSupport

/// A folder that loses at will what no program made durable (Tests/PowerLoss).
struct PowerLoss {
    /// The folder.
    let disk: String
    private let shadow: String
    private let library: String
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        (disk, shadow, library) = (folder.path("disk"), folder.path("shadow"), folder.path("powerloss.so"))
        for path in [disk, shadow] {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        }
        let source = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../PowerLoss/powerloss.c")
        try Program.check("/usr/bin/env", ["clang", "-shared", "-fPIC", "-O1", "-o", library, source.path, "-ldl"])
    }

    /// What a program is started with.
    var environment: [String: String] {
        ["LD_PRELOAD": library, "POWERLOSS_ROOT": disk, "POWERLOSS_SHADOW": shadow]
    }

    /// Leaves on the disk only what was made durable. No program uses it.
    func fail() throws {
        let root = try Self.identity(of: disk)
        for name in try FileManager.default.contentsOfDirectory(atPath: disk) {
            try FileManager.default.removeItem(atPath: "\(disk)/\(name)")
        }
        var copies: [String: String] = [:]
        try restore(root, to: disk, &copies)
        // What has another identity now is as durable as its copy was.
        for (old, path) in copies {
            let kept = "\(shadow)/\(old)"
            guard FileManager.default.fileExists(atPath: kept) else { continue }
            let new = try "\(shadow)/" + Self.identity(of: path)
            try? FileManager.default.removeItem(atPath: new)
            try FileManager.default.moveItem(atPath: kept, toPath: new)
        }
        for path in [disk] + copies.values.sorted() where path.hasSuffix("/") || path == disk {
            try keepNames(of: path)
        }
    }

    private func restore(_ identity: String, to folder: String, _ copies: inout [String: String]) throws {
        guard let names = try? String(contentsOfFile: "\(shadow)/\(identity)", encoding: .utf8) else { return }
        for line in names.split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 2).map(String.init)
            let path = "\(folder)/\(parts[2])"
            if parts[0] == "d" {
                try FileManager.default.createDirectory(
                    atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
                try restore(parts[1], to: path, &copies)
                copies[parts[1]] = path + "/"
            } else {
                let bytes = FileManager.default.contents(atPath: "\(shadow)/\(parts[1])") ?? Data()
                guard
                    FileManager.default.createFile(
                        atPath: path, contents: bytes, attributes: [.posixPermissions: 0o600])
                else { throw ProgramError(description: "\(path) cannot be made") }
                copies[parts[1]] = path
            }
        }
    }

    /// The names of a folder with the identities that they have now.
    private func keepNames(of folder: String) throws {
        var lines = ""
        for name in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() {
            let path = folder + (folder.hasSuffix("/") ? "" : "/") + name
            var isFolder: ObjCBool = false
            _ = unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
            lines += try "\(isFolder.boolValue ? "d" : "f") \(Self.identity(of: path)) \(name)\n"
        }
        try lines.write(toFile: "\(shadow)/\(Self.identity(of: folder))", atomically: true, encoding: .utf8)
    }

    /// Inode and the moment it was made, as the library writes them.
    private static func identity(of path: String) throws -> String {
        let text = try Program.check("/usr/bin/stat", ["-c", "%i %W %w", path]).split { $0.isWhitespace }
        // `%w` has the nanoseconds: 2026-11-23 13:15:49.123456789 +0000
        let fraction = text.count > 3 ? text[3].split(separator: ".").last.flatMap { Int($0) } : nil
        guard text.count > 3, let fraction else { throw ProgramError(description: "\(path): \(text)") }
        return "\(text[0]).\(text[1]).\(fraction)"
    }
}
