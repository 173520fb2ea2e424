import Glibc

/// Runs the command that prints a secret, as `/bin/sh -c` understands it.
package enum ShellCommand {
    /// How long a command may take.
    private static let timeLimit: Duration = .seconds(30)

    /// What the command prints, on the calling thread; nil when it cannot be started, fails, prints more than 64 KiB, or takes too long.
    package static func output(
        of command: String, environment: [String: String], isCancelled: () -> Bool = { false }
    ) -> [UInt8]? {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { return nil }
        defer { _ = close(ends[0]) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
        let child = start(command, environment: environment, output: ends[1])
        _ = close(ends[1])
        guard let child else { return nil }
        let deadline = ContinuousClock.now + timeLimit
        let bytes = collect(ends[0], until: deadline, isCancelled)
        var status: Int32 = 0
        // It may have closed its output and go on.
        while bytes != nil, !isCancelled(), .now < deadline {
            let ended = unsafe waitpid(child, &status, WNOHANG)
            if ended == child { return status == 0 ? bytes : nil }
            guard ended == 0 || errno == EINTR else { return nil }
            usleep(5000)
        }
        // A group of its own, so that what the shell started ends too.
        _ = kill(-child, SIGKILL)
        while unsafe waitpid(child, &status, 0) < 0 && errno == EINTR {}
        return nil
    }

    private static func start(_ command: String, environment: [String: String], output: Int32) -> pid_t? {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, output, 1)
        var child: pid_t = 0
        // Sound: the copies of the texts live until the child was started.
        let arguments = unsafe copies(["/bin/sh", "-c", command])
        let variables = unsafe copies(environment.map { "\($0.key)=\($0.value)" })
        defer { unsafe (arguments + variables).forEach { unsafe free($0) } }
        // The calling thread may block signals that a shell waits for.
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP))
        var none = sigset_t()
        unsafe sigemptyset(&none)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        let status = unsafe posix_spawn(&child, "/bin/sh", &actions, &attributes, arguments, variables)
        return status == 0 ? child : nil
    }

    @unsafe private static func copies(_ texts: [String]) -> [UnsafeMutablePointer<CChar>?] {
        var pointers: [UnsafeMutablePointer<CChar>?] = unsafe []
        for text in texts { unsafe pointers.append(strdup(text)) }
        unsafe pointers.append(nil)
        return unsafe pointers
    }

    private static func collect(
        _ descriptor: Int32, until deadline: ContinuousClock.Instant, _ isCancelled: () -> Bool
    ) -> [UInt8]? {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while .now < deadline, !isCancelled() {
            var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard unsafe poll(&waiting, 1, 100) != 0 else { continue }
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
            if count == 0 { return bytes }
            if count < 0 {
                guard errno == EINTR || errno == EAGAIN else { return nil }
                continue
            }
            bytes.append(contentsOf: chunk[..<count])
            guard bytes.count <= 65_536 else { return nil }
        }
        return nil
    }
}
