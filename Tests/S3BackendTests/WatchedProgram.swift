import Glibc

/// A server that lives exactly as long as the process of the tests, however that ends.
enum WatchedProgram {
    /// Starts a server whose data lie in a folder, which is removed with it.
    ///
    /// A shell starts it and waits until the process of the tests is gone, when the other end of its input closes.
    /// - Parameter leftovers: paths without spaces that are removed too.
    static func start(_ arguments: [String], folder: String, leftovers: [String] = []) throws {
        let watch = """
            folder=$1; leftovers=$2; shift 2; "$@" </dev/null & server=$!
            read -r _; kill -9 $server; rm -rf "$folder"; rm -f $leftovers
            """
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { throw Program.Fault(description: "no pipe") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        _ = try Program.start(
            ["/bin/sh", "-c", watch, "watch", folder, leftovers.joined(separator: " ")] + arguments, input: ends[0],
            output: folder + "/log")
        close(ends[0])
    }

    /// A new folder with an empty folder `data` in it.
    static func makeFolder() throws -> String {
        var template = Array("/tmp/pgmt-s3-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else { throw Program.Fault(description: "no temporary folder") }
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard unsafe mkdir(folder + "/data", 0o700) == 0 else { throw Program.Fault(description: "no folder 'data'") }
        return folder
    }

    /// Writes a small file.
    static func write(_ text: String, to path: String) throws {
        guard let file = unsafe fopen(path, "w") else { throw Program.Fault(description: "cannot write \(path)") }
        unsafe fputs(text, file)
        unsafe fclose(file)
    }
}
