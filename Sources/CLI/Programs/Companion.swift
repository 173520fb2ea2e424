import FoundationEssentials
import Glibc

/// A process that a program starts to work on after its own end: the same program with the same arguments, and an open file that
/// the variable `PGMONETA_COMPANION` names. It belongs to no terminal and no group, and nobody hears of it.
enum Companion {
    private static let variable = "PGMONETA_COMPANION"
    private static let descriptor: Int32 = 3

    /// The file that this process inherited, if it is a companion.
    static func inheritedFile(_ environment: [String: String]) -> Int32? {
        environment[variable] == "\(descriptor)" ? descriptor : nil
    }

    /// Leaves the session of who started this process, and closes what that one had open, if this is a companion. To be called
    /// before anything is opened.
    static func leaveSession(_ environment: [String: String]) {
        guard inheritedFile(environment) != nil else { return }
        setsid()
        closefrom(descriptor + 1)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }

    /// What the process ends with: a companion always well. Where PostgreSQL is the first process of a container, it becomes the
    /// parent, and takes another code of a child that it does not know for a crash of the server.
    static func exitCode(_ code: ExitCode, _ environment: [String: String]) -> ExitCode {
        inheritedFile(environment) == nil ? code : .done
    }

    /// Starts the companion of this process.
    static func start(inheriting file: Int32) throws {
        // Sound: every C object below is made, used and destroyed in this scope, and the texts outlive the call.
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe _ = posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, 0, 1)
        unsafe posix_spawn_file_actions_adddup2(&actions, 0, 2)
        unsafe posix_spawn_file_actions_adddup2(&actions, file, descriptor)

        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe _ = posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var all = sigset_t()
        unsafe sigemptyset(&none)
        unsafe sigfillset(&all)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setsigdefault(&attributes, &all)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        var environment = ProcessInfo.processInfo.environment
        environment[variable] = "\(descriptor)"
        var arguments: [UnsafeMutablePointer<CChar>?] = unsafe CommandLine.arguments.map { unsafe strdup($0) }
        var variables: [UnsafeMutablePointer<CChar>?] = unsafe environment.map {
            unsafe strdup("\($0.key)=\($0.value)")
        }
        defer {
            unsafe arguments.forEach { unsafe free($0) }
            unsafe variables.forEach { unsafe free($0) }
        }
        unsafe arguments.append(nil)
        unsafe variables.append(nil)
        var process: pid_t = 0
        let status = unsafe posix_spawn(
            &process, "/proc/self/exe", &actions, &attributes, &arguments, &variables)
        guard status == 0 else { throw CommandError.file("start", CommandLine.arguments[0], errno: status) }
    }
}
