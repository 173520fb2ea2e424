import Glibc

/// A name in a folder.
struct FolderEntry {
    /// The name.
    let name: String
    /// The name; for a folder with a `/` behind it, so that names sort as the keys that they begin.
    let sortName: String
    /// Whether it is a folder.
    let isFolder: Bool
}

extension Descriptor {
    /// Reads this folder: its regular files and folders, in no order. Names that are not UTF-8 cannot be keys and are left out.
    func entries(where isWanted: (FolderEntry) -> Bool) throws(SystemFault) -> [FolderEntry] {
        // A second opening, because the stream closes its descriptor and moves its offset.
        let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC
        let second = try uninterrupted { unsafe openat(number, ".", flags) }
        guard let stream = unsafe fdopendir(second) else {
            let fault = SystemFault.last
            close(second)
            throw fault
        }
        defer { unsafe closedir(stream) }
        var entries: [FolderEntry] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(stream) else {
                if errno != 0 { throw .last }
                return entries
            }
            let type = unsafe Int(entry.pointee.d_type)
            guard let name = unsafe Descriptor.name(of: entry), name != ".", name != "..",
                let kind = kind(of: name, type: type), kind == .file || kind == .folder
            else { continue }
            let isFolder = kind == .folder
            let found = FolderEntry(name: name, sortName: isFolder ? name + "/" : name, isFolder: isFolder)
            if isWanted(found) { entries.append(found) }
        }
    }

    /// The kind that readdir(3) told, or that stat(2) tells on file systems where readdir(3) does not; nil for what is gone.
    private func kind(of name: String, type: Int) -> FileStatus.Kind? {
        switch type {
        case Int(DT_REG): .file
        case Int(DT_DIR): .folder
        case Int(DT_UNKNOWN): (try? look(at: name))?.kind
        default: .other
        }
    }

    private static func name(of entry: UnsafeMutablePointer<dirent>) -> String? {
        guard let offset = MemoryLayout<dirent>.offset(of: \.d_name) else { return nil }
        // Sound: d_name is inside the entry and ends with a NUL (readdir(3)); it is copied here.
        return unsafe String(validatingCString: (UnsafeRawPointer(entry) + offset).assumingMemoryBound(to: CChar.self))
    }
}
