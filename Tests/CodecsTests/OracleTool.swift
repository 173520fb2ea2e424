import Glibc

/// Runs a program that the codecs must agree with, such as `gzip`, in a folder of its own that goes afterwards.
struct OracleTool {
    /// Says why a program did not do its work.
    struct Failure: Error {
        let words: String
    }

    /// Gives a program bytes and takes what it writes to standard output.
    /// - Parameters:
    ///   - program: its name; it is searched for in `PATH`.
    ///   - arguments: `{}` stands for a file with the input, which is also standard input.
    static func run(_ program: String, _ arguments: [String], input: [UInt8] = []) throws -> [UInt8] {
        var template = "/tmp/pgmoneta-codecs-XXXXXX".utf8CString.map { $0 }
        guard unsafe mkdtemp(&template) != nil else { throw Failure(words: "no folder (errno \(errno))") }
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let files = ["input", "output", "error"].map { "\(folder)/\($0)" }
        defer {
            for file in files { unsafe unlink(file) }
            unsafe rmdir(folder)
        }
        try write(input, to: files[0])
        let vector = [program] + arguments.map { $0 == "{}" ? files[0] : $0 }
        let status = try spawn(vector, files)
        guard status == 0 else {
            let said = String(decoding: try read(files[2]), as: UTF8.self)
            throw Failure(words: "\(vector) ended with status \(status): \(said)")
        }
        return try read(files[1])
    }

    private static func spawn(_ vector: [String], _ files: [String]) throws -> Int32 {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        for (number, flags) in [O_RDONLY, O_WRONLY | O_CREAT, O_WRONLY | O_CREAT].enumerated() {
            unsafe posix_spawn_file_actions_addopen(&actions, Int32(number), files[number], flags, 0o600)
        }
        let strings = unsafe vector.map { unsafe strdup($0) }
        defer { unsafe strings.forEach { unsafe free($0) } }
        var process: pid_t = 0
        let code = unsafe posix_spawnp(&process, vector[0], &actions, nil, strings + [nil], environ)
        guard code == 0 else { throw Failure(words: "cannot start \(vector[0]) (errno \(code))") }
        var status: Int32 = 0
        guard unsafe waitpid(process, &status, 0) == process else { throw Failure(words: "lost \(vector[0])") }
        return status
    }

    private static func write(_ bytes: [UInt8], to path: String) throws {
        let file = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Failure(words: "cannot create \(path) (errno \(errno))") }
        defer { close(file) }
        var written = 0
        while written < bytes.count {
            let rest = Array(bytes[written...])
            let count = unsafe Glibc.write(file, rest, rest.count)
            guard count > 0 else { throw Failure(words: "cannot write \(path) (errno \(errno))") }
            written += count
        }
    }

    private static func read(_ path: String) throws -> [UInt8] {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw Failure(words: "cannot open \(path) (errno \(errno))") }
        defer { close(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe Glibc.read(file, &piece, piece.count)
            guard count >= 0 else { throw Failure(words: "cannot read \(path) (errno \(errno))") }
            guard count > 0 else { return bytes }
            bytes += piece.prefix(count)
        }
    }
}
