import Glibc

/// The user that servers run as: this user, or an unprivileged one when the tests run as root, which a server refuses.
struct ServerAccount: Sendable {
    /// What stands before a server program's path: empty, or `setpriv` and its arguments.
    private let prefix: [String]
    private let owner: (user: uid_t, group: gid_t)?

    /// Finds the user.
    /// - Throws: when the tests run as root and no unprivileged user is there.
    init() throws {
        guard geteuid() == 0 else {
            (prefix, owner) = ([], nil)
            return
        }
        for name in ["postgres", "nobody"] {
            guard let entry = unsafe getpwnam(name) else { continue }
            let (user, group) = unsafe (entry.pointee.pw_uid, entry.pointee.pw_gid)
            owner = (user, group)
            prefix = ["/usr/bin/setpriv", "--reuid=\(user)", "--regid=\(group)", "--clear-groups", "--"]
            return
        }
        throw ProgramError(description: "no user 'postgres' to run servers as; type: scripts/setup postgresql")
    }

    /// Runs a program as that user.
    func run(_ path: String, _ arguments: [String]) throws -> ProgramOutcome {
        let command = prefix + [path] + arguments
        return try Program.run(command[0], Array(command.dropFirst()), environment: ["LC_ALL": "C"])
    }

    /// Runs a program as that user.
    /// - Throws: also when its exit code is not 0.
    func check(_ path: String, _ arguments: [String]) throws {
        let outcome = try run(path, arguments)
        guard outcome.status == 0 else {
            throw ProgramError(
                description: "\(path) \(arguments) ended with \(outcome.status): \(outcome.errorText)\(outcome.text)")
        }
    }

    /// Makes a folder that only that user may enter.
    func makeFolder(_ path: String) throws {
        guard unsafe mkdir(path, 0o700) == 0 else {
            throw ProgramError(description: "cannot make \(path) (errno \(errno))")
        }
        if let owner { unsafe chown(path, owner.user, owner.group) }
    }

    /// Gives a folder and everything in it to that user.
    func own(_ path: String) throws {
        if let owner { try Program.check("/bin/chown", ["-R", "\(owner.user):\(owner.group)", path]) }
    }
}
