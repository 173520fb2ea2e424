import Foundation

/// Runs the programs that SwiftPM built beside the tests.
struct BuiltProgram {
    struct Result {
        let exitCode: Int32
        let output: String
        let errors: String
    }

    let name: String

    /// Runs the program without a terminal and waits for it.
    /// - Parameter environment: all that it gets.
    func run(
        _ arguments: [String], environment: [String: String] = [:], input: String = ""
    ) throws -> Result {
        let process = process(arguments, environment)
        let (standardInput, output, errors) = (Pipe(), Pipe(), Pipe())
        process.standardInput = standardInput
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        try standardInput.fileHandleForWriting.write(contentsOf: Data(input.utf8))
        try standardInput.fileHandleForWriting.close()
        let outputBytes = try output.fileHandleForReading.readToEnd() ?? Data()
        let errorBytes = try errors.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return Result(
            exitCode: process.terminationStatus, output: String(decoding: outputBytes, as: UTF8.self),
            errors: String(decoding: errorBytes, as: UTF8.self))
    }

    /// Starts the program and gives what it writes to standard error.
    func start(_ arguments: [String]) throws -> (Process, FileHandle) {
        let process = process(arguments, [:])
        let errors = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = errors
        try process.run()
        return (process, errors.fileHandleForReading)
    }

    private func process(_ arguments: [String], _ environment: [String: String]) -> Process {
        let process = Process()
        let tests = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        process.executableURL = tests.deletingLastPathComponent().appending(path: name)
        process.arguments = arguments
        process.environment = environment
        return process
    }
}
