import Glibc

/// Runs and starts programs.
enum Program {
    /// What a program could not do.
    struct Fault: Error, CustomStringConvertible {
        let description: String
    }

    /// Runs a program to its end.
    static func run(_ arguments: [String]) throws {
        let child = try start(arguments, input: nil, output: nil)
        var status: Int32 = 0
        while unsafe waitpid(child, &status, 0) < 0 && errno == EINTR {}
        guard status == 0 else { throw Fault(description: "\(arguments.joined(separator: " ")): status \(status)") }
    }

    /// Starts a program.
    /// - Parameters:
    ///   - input: becomes its standard input; nil for none.
    ///   - output: the file that takes what it says; nil for none.
    static func start(_ arguments: [String], input: Int32?, output: String?) throws -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        if let input {
            unsafe posix_spawn_file_actions_adddup2(&actions, input, 0)
        } else {
            unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        let log = output ?? "/dev/null"
        unsafe posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        unsafe posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var pointers: [UnsafeMutablePointer<CChar>?] = unsafe []
        for argument in arguments { unsafe pointers.append(strdup(argument)) }
        unsafe pointers.append(nil)
        defer { unsafe pointers.forEach { unsafe free($0) } }
        var child: pid_t = 0
        // Threads of Swift block signals that a shell waits for.
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var none = sigset_t()
        unsafe sigemptyset(&none)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        let status = unsafe posix_spawnp(&child, arguments[0], &actions, &attributes, pointers, environ)
        guard status == 0 else { throw Fault(description: "cannot start \(arguments[0]): error \(status)") }
        return child
    }
}
