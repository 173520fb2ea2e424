import Glibc
import Synchronization

/// The folder of this test process for clusters and their templates: `/tmp/pgmoneta-tests-<pid>`, short because socket paths
/// must be. It goes when the process ends; one that a killed process left goes when the next one begins.
final class ScratchArea: Sendable {
    /// The area of this process.
    static let current = ScratchArea()

    /// The user that servers run as.
    let account: Result<ServerAccount, any Error>
    private let path = "\(prefix)\(getpid())"
    private let lastNumber = Atomic<Int>(0)
    private let templates = Mutex<[String: String]>([:])
    private let programs = Mutex<[Int: String]>([:])
    private static let parent = "/tmp"
    private static let prefix = "/tmp/pgmoneta-tests-"

    private init() {
        account = Result { try ServerAccount() }
        Self.sweep()
        unsafe mkdir(path, 0o755)
        atexit { ScratchArea.current.remove() }
    }

    /// Makes a folder for a cluster.
    func makeFolder() throws -> String {
        let folder = "\(path)/\(lastNumber.add(1, ordering: .relaxed).newValue)"
        try account.get().makeFolder(folder)
        return folder
    }

    /// Gives a new data folder, a copy of one that `initdb` made once for these arguments.
    func makeDataFolder(_ folder: String, major: Int, initdbArguments: [String]) throws {
        let account = try account.get()
        let bin = try programFolder(of: major)
        let template = try templates.withLock { templates in
            let name = "\(major) \(initdbArguments)"
            if let template = templates[name] { return template }
            let template = try makeFolder()
            try account.check(
                "\(bin)/initdb",
                ["-D", template, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
                    + initdbArguments)
            templates[name] = template
            return template
        }
        try account.check("/bin/cp", ["-a", template, folder])
    }

    /// The folder of a server's programs, in a place that the server's user can reach.
    func programFolder(of major: Int) throws -> String {
        let account = try account.get()
        let installed = try PostgresVersions.folder(of: major)
        return try programs.withLock { programs in
            if let folder = programs[major] { return folder }
            var folder = "\(installed)/bin"
            if try account.run("/usr/bin/test", ["-x", "\(folder)/postgres"]).status != 0 {
                // The repository is in a folder that only this user may enter, such as root's home.
                try Program.check("/bin/cp", ["-a", installed, "\(path)/postgresql-\(major)"])
                folder = "\(path)/postgresql-\(major)/bin"
            }
            programs[major] = folder
            return folder
        }
    }

    private func remove() { _ = try? Program.run("/bin/rm", ["-rf", path]) }

    /// Ends servers of test processes that are no more, and removes their areas.
    private static func sweep() {
        guard let list = try? Program.run("/bin/ls", [parent]).text.split(separator: "\n") else { return }
        for name in list where name.hasPrefix("pgmoneta-tests-") {
            guard let process = pid_t(name.dropFirst("pgmoneta-tests-".count)) else { continue }
            guard kill(process, 0) != 0 && errno == ESRCH else { continue }
            let area = "\(parent)/\(name)"
            let clusters = (try? Program.run("/bin/ls", [area]).text.split(separator: "\n")) ?? []
            for cluster in clusters { ServerProcess(dataFolder: "\(area)/\(cluster)/data")?.kill() }
            _ = try? Program.run("/bin/rm", ["-rf", area])
        }
    }
}
