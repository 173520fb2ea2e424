import TestSupport

extension PostgresCluster {
    /// Runs a program of PostgreSQL that connects to this server, to its end.
    func run(_ name: String, _ arguments: String...) throws -> ProgramOutcome {
        try start(name, arguments).finish()
    }

    /// Starts a program of PostgreSQL that connects to this server.
    func start(_ name: String, _ arguments: String...) throws -> RunningProgram { try start(name, arguments) }

    private func start(_ name: String, _ arguments: [String]) throws -> RunningProgram {
        try Program.start(bin(name), ["-h", socketFolder, "-p", "\(port)", "-U", superuser] + arguments)
    }
}
