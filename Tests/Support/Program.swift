import Glibc

/// What a program left when it ended.
package struct ProgramOutcome: Sendable {
    /// The exit code; 128 plus the signal's number when a signal ended it, as a shell shows it.
    package let status: Int32
    /// What it wrote to standard output.
    package let output: [UInt8]
    /// What it wrote to standard error.
    package let error: [UInt8]

    /// Standard output as text.
    package var text: String { String(decoding: output, as: UTF8.self) }
    /// Standard error as text.
    package var errorText: String { String(decoding: error, as: UTF8.self) }
}

/// Why a program could not be run as wanted.
package struct ProgramError: Error, CustomStringConvertible {
    package let description: String

    /// Makes an error.
    package init(description: String) { self.description = description }
}

/// Runs programs from an argument vector; no shell is between.
package enum Program {
    /// Runs a program to its end.
    /// - Parameters:
    ///   - path: the program's file; it is not searched for.
    ///   - environment: variables that are set beside those of this process.
    ///   - input: what the program reads from standard input.
    ///   - timeout: when it is over, the program is killed.
    /// - Throws: when the program cannot be started, or took too long. Its exit code never throws.
    @discardableResult
    package static func run(
        _ path: String, _ arguments: [String] = [], environment: [String: String] = [:], input: [UInt8] = [],
        timeout: Duration = .seconds(600)
    ) throws -> ProgramOutcome {
        try start(path, arguments, environment: environment).finish(input: input, timeout: timeout)
    }

    /// Runs a program and takes its standard output.
    /// - Throws: also when the exit code is not 0, with what the program said.
    @discardableResult
    package static func check(
        _ path: String, _ arguments: [String] = [], environment: [String: String] = [:], input: [UInt8] = [],
        timeout: Duration = .seconds(600)
    ) throws -> String {
        let outcome = try run(path, arguments, environment: environment, input: input, timeout: timeout)
        guard outcome.status == 0 else {
            throw ProgramError(
                description: "\(path) \(arguments) ended with \(outcome.status): \(outcome.errorText)\(outcome.text)")
        }
        return outcome.text
    }

    /// Starts a program in the background. The caller calls `finish` once.
    package static func start(
        _ path: String, _ arguments: [String] = [], environment: [String: String] = [:]
    ) throws -> RunningProgram {
        let input = try Pipe()
        let output = try Pipe()
        let error = try Pipe()
        let process = try spawn(
            path, arguments, environment, descriptors: [input.readEnd, output.writeEnd, error.writeEnd])
        return RunningProgram(
            path: path, process: process, input: input.keepWriteEnd(), output: output.keepReadEnd(),
            error: error.keepReadEnd())
    }

    /// Starts a process whose descriptors 0, 1, 2 are the given ones, and which inherits no other.
    private static func spawn(
        _ path: String, _ arguments: [String], _ environment: [String: String], descriptors: [Int32]
    ) throws -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        unsafe posix_spawn_file_actions_init(&actions)
        unsafe posix_spawnattr_init(&attributes)
        defer {
            unsafe posix_spawn_file_actions_destroy(&actions)
            unsafe posix_spawnattr_destroy(&attributes)
        }
        for (number, descriptor) in descriptors.enumerated() {
            unsafe posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(number))
        }
        // A pipe end inherited by a program that tests start at the same time would keep the pipe open. Closing a descriptor
        // that is not open is not an error here (glibc's posix_spawn).
        for descriptor in Int32(3)..<1024 { unsafe posix_spawn_file_actions_addclose(&actions, descriptor) }
        var noSignals = sigset_t()
        unsafe sigemptyset(&noSignals)
        unsafe posix_spawnattr_setsigmask(&attributes, &noSignals)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

        let variables = inheritedEnvironment().merging(environment) { _, new in new }.map { "\($0)=\($1)" }
        var process: pid_t = 0
        let code = unsafe withCStrings([path] + arguments) { argumentVector in
            unsafe withCStrings(variables) { environmentVector in
                unsafe posix_spawn(&process, path, &actions, &attributes, argumentVector, environmentVector)
            }
        }
        guard code == 0 else {
            throw ProgramError(description: "cannot start \(path) (errno \(code))")
        }
        return process
    }

    private static func inheritedEnvironment() -> [String: String] {
        var variables: [String: String] = [:]
        var entry = unsafe environ
        while let text = unsafe entry.pointee {
            let pair = unsafe String(cString: text).split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if pair.count == 2 { variables[String(pair[0])] = String(pair[1]) }
            unsafe entry += 1
        }
        return variables
    }

    /// Gives `body` a null-terminated vector of C strings, which live as long as the call.
    private static func withCStrings<Result>(
        _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let copies = unsafe strings.map { unsafe strdup($0) }
        defer { unsafe copies.forEach { unsafe free($0) } }
        return unsafe body(copies + [nil])
    }
}

/// A pipe of which each side keeps one end.
private final class Pipe {
    private(set) var readEnd: Int32
    private(set) var writeEnd: Int32

    init() throws {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { throw ProgramError(description: "no pipe (errno \(errno))") }
        (readEnd, writeEnd) = (ends[0], ends[1])
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    }

    func keepReadEnd() -> Int32 {
        defer { readEnd = -1 }
        return readEnd
    }

    func keepWriteEnd() -> Int32 {
        defer { writeEnd = -1 }
        return writeEnd
    }

    deinit {
        if readEnd >= 0 { close(readEnd) }
        if writeEnd >= 0 { close(writeEnd) }
    }
}
