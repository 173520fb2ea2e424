import FoundationEssentials

/// A new, empty folder, removed with all it holds when nothing refers to it any more. Others may look into it as the umask
/// allows, because PostgreSQL runs as another user there.
package final class TemporaryFolder: Sendable {
    /// The absolute path, short enough for the path of a Unix socket in it, without a `/` at its end.
    package let path: String

    /// Makes a folder in `TMPDIR`, or in `/tmp`.
    package init() throws {
        let parent = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
        let name = "pgmt-" + String(UInt64.random(in: .min ... .max), radix: 36)
        path = URL(filePath: parent, directoryHint: .isDirectory).appending(path: name).path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The path of something in the folder.
    package func path(_ name: String) -> String { path + "/" + name }

    /// Writes a file in the folder, and the folders above it.
    package func write(_ bytes: [UInt8], to name: String) throws {
        let url = URL(filePath: path(name))
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url)
    }

    /// Reads a file in the folder.
    package func read(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(filePath: path(name)))) }

    /// Everything in the folder, at any depth: paths relative to it in byte order, folders with a `/` at their end.
    package func tree() throws -> [String] {
        var names: [String] = []
        func visit(_ folder: String) throws {
            for name in try FileManager.default.contentsOfDirectory(atPath: path(folder)) {
                let type = try FileManager.default.attributesOfItem(atPath: path(folder + name))[.type]
                let isFolder = type as? FileAttributeType == .typeDirectory
                names.append(folder + name + (isFolder ? "/" : ""))
                if isFolder { try visit(folder + name + "/") }
            }
        }
        try visit("")
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}

/// Makes a folder for the length of `body`.
package func withTemporaryFolder<Result>(
    _ body: (TemporaryFolder) async throws -> Result
) async throws -> Result {
    let folder = try TemporaryFolder()
    return try await body(folder)
}
