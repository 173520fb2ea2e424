internal import BackupAPI
import Glibc

/// A started program: its standard input and output are one socket, its standard error is another.
///
/// One thread uses it; `finish` is the last call.
final class ChildProcess {
    /// Our end of the program's standard input and output.
    let stream: Int32
    /// Our end of its standard error.
    let messages: Int32
    /// Its process number.
    let identifier: pid_t

    /// Starts a program in a process group of its own, so that an interrupt typed at the terminal reaches only us and
    /// we can still remove our temporaries.
    /// - Throws: `ChannelLoss` when it cannot be started.
    init(_ launch: ProcessLaunch) throws(ChannelLoss) {
        let (ours, theirs) = try Sockets.pair()
        defer { close(theirs) }
        let ends: (Int32, Int32)
        do { ends = try Sockets.pair() } catch {
            close(ours)
            throw error
        }
        defer { close(ends.1) }
        do {
            identifier = try ChildProcess.spawn(launch, stream: theirs, messages: ends.1)
        } catch {
            close(ours)
            close(ends.0)
            throw error
        }
        (stream, messages) = (ours, ends.0)
        ChildProcess.stopBlocking(stream)
        ChildProcess.stopBlocking(messages)
    }

    /// Closes the stream, waits for the program's end for up to a second, then ends it, and says how it ended.
    func finish() -> ProcessEnd {
        close(stream)
        defer { close(messages) }
        if let end = reap(attempts: 50) { return end }
        kill(identifier, SIGTERM)
        if reap(attempts: 50) != nil { return .unknown }
        kill(identifier, SIGKILL)
        _ = reap(attempts: 50)
        return .unknown
    }

    /// Asks every 20 ms; a program that has closed its side ends at once, so the first attempts nearly always succeed.
    private func reap(attempts: Int) -> ProcessEnd? {
        for _ in 0..<attempts {
            var status: Int32 = 0
            // Sound: waitpid writes one Int32.
            let result = unsafe waitpid(identifier, &status, WNOHANG)
            if result == identifier { return ChildProcess.end(status) }
            if result == -1, errno != EINTR { return .unknown }
            _ = poll(nil, 0, 20)
        }
        return nil
    }

    /// Reads a status as `wait(2)` describes: the low seven bits are the signal, the next byte the exit status.
    private static func end(_ status: Int32) -> ProcessEnd {
        let signal = Int(status & 0x7F)
        return signal == 0 ? .exited(Int(status >> 8 & 0xFF)) : .signalled(signal)
    }

    private static func stopBlocking(_ descriptor: Int32) {
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    }

    private static func spawn(
        _ launch: ProcessLaunch, stream: Int32, messages: Int32
    ) throws(ChannelLoss) -> pid_t {
        // Sound: every C object below is made, used and destroyed in this scope, and the strings outlive the call.
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe _ = posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_adddup2(&actions, stream, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, stream, 1)
        unsafe posix_spawn_file_actions_adddup2(&actions, messages, 2)

        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe _ = posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var all = sigset_t()
        unsafe sigemptyset(&none)
        unsafe sigfillset(&all)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setsigdefault(&attributes, &all)
        unsafe posix_spawnattr_setpgroup(&attributes, 0)
        let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP
        unsafe posix_spawnattr_setflags(&attributes, Int16(flags))

        var arguments = unsafe ([launch.program] + launch.arguments).map { unsafe strdup($0) }
        var environment = unsafe launch.environment.map { unsafe strdup("\($0.key)=\($0.value)") }
        defer {
            unsafe arguments.forEach { unsafe free($0) }
            unsafe environment.forEach { unsafe free($0) }
        }
        unsafe arguments.append(nil)
        unsafe environment.append(nil)
        var identifier: pid_t = 0
        let result = unsafe posix_spawn(&identifier, launch.program, &actions, &attributes, &arguments, &environment)
        guard result == 0 else {
            throw ChannelLoss(
                .misconfigured, detail: "\(launch.program): \(SystemWords.text(of: result))",
                remedy: "Install the OpenSSH client (package openssh-client), or set ssh_command to its path.")
        }
        return identifier
    }
}
