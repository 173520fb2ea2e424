import Glibc

/// Removes versions that no manifest names and no living process writes.
struct ChunkSweep {
    private let layout: ChunkLayout
    private let prefix: String

    /// Prepares a sweep of what begins with `prefix`.
    init(_ layout: ChunkLayout, prefix: String) {
        self.layout = layout
        self.prefix = prefix
    }

    /// Walks the folders.
    /// - Returns: how many versions were removed.
    func run() throws(FileFault) -> Int { try visit(layout.root, "") }

    private func visit(_ folder: String, _ position: String) throws(FileFault) -> Int {
        var count = 0
        for name in try ChunkListing.sortedNames(in: folder) {
            let found = position + name
            let isFolder = name.utf8.last == UInt8(ascii: "/")
            let begins = found.utf8.starts(with: prefix.utf8)
            if isFolder, begins || prefix.utf8.starts(with: found.utf8) {
                let path = "\(folder)/d.\(name)"
                count += try visit(path, found)
                rmdir(path)
            } else if !isFolder, begins {
                count += try sweepObject("\(folder)/o.\(name)")
            }
        }
        return count
    }

    private func sweepObject(_ folder: String) throws(FileFault) -> Int {
        var count = 0
        for version in (try? Files.names(in: folder)) ?? [] where version.hasPrefix("v.") {
            let lock = open("\(folder)/\(version)", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            guard lock >= 0 else { continue }
            defer { Glibc.close(lock) }
            // The manifest is read behind the lock: a commit may just have ended.
            guard flock(lock, LOCK_EX | LOCK_NB) == 0 else { continue }
            if (try? layout.manifest(inFolder: folder))?.version == version { continue }
            Files.removeFolder("\(folder)/\(version)")
            count += 1
        }
        rmdir(folder)
        return count
    }
}
