import CEngine
import Glibc

/// What stands in folders, and how it is removed.
enum FolderContents {
    /// The names in a folder, as `PathText` writes them; nil, with `errno`, when it cannot be read.
    static func names(in folder: FilePath) -> [String]? {
        guard let handle = unsafe opendir(folder.characters) else { return nil }
        defer { unsafe closedir(handle) }
        var names: [String] = []
        while let entry = unsafe readdir(handle) {
            // Sound: a name ends with a zero within its 256 bytes (readdir(3)).
            let bytes = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { unsafe Array($0.prefix { $0 != 0 }) }
            let name = PathText.text(bytes)
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// Deletes what is in a folder, never following a link out of it. What cannot be deleted stays.
    static func empty(_ folder: FilePath) {
        for name in names(in: folder) ?? [] { remove(folder.appending(name)) }
    }

    /// Deletes a file, a link, or a folder with all that is in it.
    static func remove(_ path: FilePath) {
        var status = stat()
        guard unsafe lstat(path.characters, &status) == 0 else { return }
        if status.st_mode & S_IFMT == S_IFDIR {
            empty(path)
            unsafe rmdir(path.characters)
        } else {
            unsafe unlink(path.characters)
        }
    }

    /// Deletes `global/pg_control` of a data directory, durably: from then on no PostgreSQL starts on it.
    static func removeControlFile(of dataDirectory: String) {
        let folder = unsafe open(dataDirectory + "/global", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard folder >= 0 else { return }
        unsafe unlinkat(folder, "pg_control", 0)
        fsync(folder)
        close(folder)
    }
}
