import Glibc

/// The postmaster that serves a data folder.
struct ServerProcess: Sendable {
    /// Its process id.
    let process: pid_t

    /// Finds the running postmaster of a data folder; nil when none runs.
    init?(dataFolder: String) {
        // The first line of postmaster.pid is the process id. The file may be stale, so the process must name the folder.
        guard let text = try? Program.run("/usr/bin/head", ["-n", "1", "\(dataFolder)/postmaster.pid"]).text,
            let process = pid_t(text.filter(\.isNumber)),
            let command = try? Program.run("/bin/cat", ["/proc/\(process)/cmdline"]).text,
            command.contains(dataFolder)
        else { return nil }
        self.process = process
    }

    /// Whether it is still there; one that only waits to be collected is not.
    var isRunning: Bool {
        guard let status = try? Program.run("/bin/cat", ["/proc/\(process)/stat"]), status.status == 0 else {
            return false
        }
        return !status.text.contains(") Z ")
    }

    /// Ends it at once, as a crash would, and waits until it is gone.
    func kill() {
        Glibc.kill(process, SIGKILL)
        while isRunning { usleep(2000) }
    }

    /// Stops it and its children; first itself, so that no child comes behind.
    func freeze() throws {
        Glibc.kill(process, SIGSTOP)
        for child in try children() { Glibc.kill(child, SIGSTOP) }
    }

    /// Lets it and its children go on.
    func thaw() {
        for child in (try? children()) ?? [] { Glibc.kill(child, SIGCONT) }
        Glibc.kill(process, SIGCONT)
    }

    private func children() throws -> [pid_t] {
        try Program.run("/usr/bin/pgrep", ["-P", "\(process)"]).text.split(separator: "\n").compactMap { pid_t($0) }
    }
}
