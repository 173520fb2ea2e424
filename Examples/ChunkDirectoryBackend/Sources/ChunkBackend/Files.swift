import Glibc

/// A system call that went wrong.
struct FileFault: Error {
    /// The value of `errno`.
    let code: Int32

    /// Throws when a call gave a negative number.
    @discardableResult
    static func check(_ result: Int32) throws(FileFault) -> Int32 {
        if result < 0 { throw FileFault(code: errno) }
        return result
    }
}

/// The few things that are done with files.
enum Files {
    /// Makes a folder.
    /// - Throws: `EEXIST` when it is there.
    static func makeFolder(_ path: String) throws(FileFault) { try FileFault.check(mkdir(path, 0o700)) }

    /// Waits until a file's bytes, or a folder's names, are on the disk.
    static func sync(_ path: String) throws(FileFault) {
        let file = try FileFault.check(open(path, O_RDONLY | O_CLOEXEC))
        defer { Glibc.close(file) }
        try FileFault.check(fsync(file))
    }

    /// Writes a new file and waits until it is on the disk.
    static func write(_ bytes: [UInt8], to path: String) throws(FileFault) {
        let file = try FileFault.check(open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600))
        defer { Glibc.close(file) }
        var start = 0
        while start < bytes.count {
            let count = bytes[start...].withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0 { throw FileFault(code: errno) }
            start += count
        }
        try FileFault.check(fsync(file))
    }

    /// Reads a small file.
    static func read(_ path: String) throws(FileFault) -> String {
        let file = try FileFault.check(open(path, O_RDONLY | O_CLOEXEC))
        defer { Glibc.close(file) }
        var bytes = [UInt8](repeating: 0, count: 1000)
        let count = Glibc.read(file, &bytes, bytes.count)
        if count < 0 { throw FileFault(code: errno) }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    /// The names in a folder, in no order.
    static func names(in path: String) throws(FileFault) -> [String] {
        guard let stream = opendir(path) else { throw FileFault(code: errno) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// Removes a folder of files, as far as possible: the rest is for the next sweep.
    static func removeFolder(_ path: String) {
        for name in (try? names(in: path)) ?? [] { unlink(path + "/" + name) }
        rmdir(path)
    }
}
