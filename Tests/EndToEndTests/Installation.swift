import Foundation
import TestSupport
import Testing

/// pgmoneta as an operator has it: a configuration with one server, a home, a place for backups, and the built programs.
struct Installation {
    let folder: TemporaryFolder
    /// The local target.
    let repository: String
    /// The name of the server in the configuration.
    let server = "primary"

    private let serverLines: [String]
    private let configuration: String

    /// Writes the configuration.
    /// - Parameters:
    ///   - repository: the local target; a folder that the first backup makes where it is left out.
    ///   - general: more lines of `[pgmoneta]`.
    ///   - lines: more lines of the server's section.
    ///   - host: where the cluster is reached: its socket, without a password, where it is left out.
    init(
        _ cluster: PostgresCluster, repository: String? = nil, general: [String] = [], lines: [String] = [],
        host: String? = nil, user: String? = nil
    ) throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.path("home"), withIntermediateDirectories: false)
        try self.init(
            folder: folder, repository: repository ?? folder.path("repository"), general: general,
            serverLines: [
                "host = \(host ?? cluster.socketFolder)", "port = \(cluster.port)",
                "user = \(user ?? cluster.superuser)",
            ] + lines, configuration: "pgmoneta.conf")
    }

    private init(
        folder: TemporaryFolder, repository: String, general: [String], serverLines: [String], configuration: String
    ) throws {
        self.folder = folder
        self.repository = repository
        self.serverLines = serverLines
        self.configuration = configuration
        let lines = ["[pgmoneta]", "base_dir = \(repository)"] + general + ["[\(server)]"] + serverLines
        try folder.write(Array(lines.map { $0 + "\n" }.joined().utf8), to: configuration)
    }

    /// The same installation with other lines of `[pgmoneta]`.
    func with(general: [String]) throws -> Installation {
        try Installation(
            folder: folder, repository: repository, general: general, serverLines: serverLines,
            configuration: "other.conf")
    }

    /// Runs `pgmoneta-cli` to its end.
    func run(_ arguments: String..., timeout: Duration = .seconds(600)) throws -> ProgramOutcome {
        try start(arguments).finish(timeout: timeout)
    }

    /// Runs `pgmoneta-cli` to its end with another umask.
    func run(_ arguments: String..., umask: String) throws -> ProgramOutcome {
        let script = ["-c", "umask \(umask); exec \"$0\" \"$@\"", Self.program("pgmoneta-cli")]
        return try Program.run(
            "/bin/sh", script + ["-c", folder.path(configuration)] + arguments, environment: environment)
    }

    /// Runs `pgmoneta-cli` to its end with its standard output going to a file.
    func run(_ arguments: String..., output: String) throws -> ProgramOutcome {
        try Program.run(
            "/bin/sh", ["-c", "exec \"$@\" > '\(output)'", "sh"] + command(arguments), environment: environment)
    }

    /// Starts `pgmoneta-cli`.
    func start(_ arguments: [String]) throws -> RunningProgram {
        let command = command(arguments)
        return try Program.start(command[0], Array(command.dropFirst()), environment: environment)
    }

    /// Starts the daemon.
    func startDaemon(environment: [String: String] = [:]) throws -> RunningProgram {
        try Program.start(
            Self.program("pgmoneta"), ["-c", folder.path(configuration)],
            environment: self.environment.merging(environment) { $1 })
    }

    /// Starts `pgmoneta-cli` as on another machine: with a host name and processes of its own (unshare(1)).
    func start(_ arguments: [String], on machine: String) throws -> RunningProgram {
        let script = #"hostname "$0" && exec "$@""#
        // Only root may have them without being root of other users.
        let users = geteuid() == 0 ? [] : ["--map-root-user"]
        let isolated = users + ["--uts", "--pid", "--fork", "--mount-proc", "/bin/sh", "-c", script, machine]
        return try Program.start("/usr/bin/unshare", isolated + command(arguments), environment: environment)
    }

    /// The program and the arguments that start it.
    func command(_ arguments: [String]) -> [String] {
        [Self.program("pgmoneta-cli"), "-c", folder.path(configuration)] + arguments
    }

    /// Runs `pgmoneta-admin` to its end.
    func administrate(_ arguments: String..., input: String = "") throws -> ProgramOutcome {
        try administrate(arguments, input: input)
    }

    /// Runs `pgmoneta-admin` to its end.
    func administrate(_ arguments: [String], input: String = "") throws -> ProgramOutcome {
        try Program.run(
            Self.program("pgmoneta-admin"), ["-c", folder.path(configuration)] + arguments,
            environment: environment, input: Array(input.utf8))
    }

    /// Runs `pgmoneta-cli` to its end as the user whom a path belongs to, to whom the whole installation is given.
    func run(asOwnerOf path: String, _ arguments: String...) throws -> ProgramOutcome {
        guard geteuid() == 0 else { return try start(arguments).finish() }
        let owner = try Program.check("/usr/bin/stat", ["-c", "%u %g", path]).split { $0.isWhitespace }
        try Program.check("/bin/chown", ["-R", "\(owner[0]):\(owner[1])", folder.path])
        // The programs may be in a folder that only this user may enter.
        try Program.check("/bin/cp", [Self.program("pgmoneta-cli"), folder.path("pgmoneta-cli")])
        let identity = ["--reuid=\(owner[0])", "--regid=\(owner[1])", "--clear-groups", "--"]
        let command = [folder.path("pgmoneta-cli"), "-c", folder.path(configuration)] + arguments
        return try Program.run("/usr/bin/setpriv", identity + command, environment: environment)
    }

    /// Takes a backup that must succeed; an incremental one where it gets a parent.
    /// - Returns: its label.
    func backup(on parent: String? = nil) throws -> String {
        let outcome = try start(["backup", server, "-F", "json"] + [parent].compactMap(\.self)).finish()
        try #require(outcome.status == 0, "\(outcome.errorText)")
        return try JSONReply(outcome).text("Response", "Backup")
    }

    /// The labels that `list-backup` shows, oldest first.
    func labels() throws -> [String] {
        let outcome = try run("list-backup", server, "-F", "json")
        try #require(outcome.status == 0, "\(outcome.errorText)")
        return try JSONReply(outcome).list("Response", "Backups").map { try $0.text("Backup") }
    }

    /// Everything in the repository, as paths relative to it, folders with a `/` at their end.
    func stored() throws -> [String] {
        guard let paths = FileManager.default.enumerator(atPath: repository) else { return [] }
        return paths.compactMap { $0 as? String }.map { path in
            var isFolder: ObjCBool = false
            _ = unsafe FileManager.default.fileExists(atPath: repository + "/" + path, isDirectory: &isFolder)
            return isFolder.boolValue ? path + "/" : path
        }.sorted()
    }

    /// What is in the repository and belongs to no backup of the list: remains of runs that did not end.
    func remains() throws -> [String] {
        let labels = try labels()
        let kept = Set(["repository.json", "\(server)/", "\(server)/identity.json", "\(server)/backup/"])
        return try stored().filter { path in
            guard !path.contains(".pgmoneta-tmp") else { return true }
            return !kept.contains(path) && !labels.contains { path.hasPrefix("\(server)/backup/\($0)/") }
        }
    }

    /// Waits until something in the repository has a path that `fits`.
    func waitUntilStored(_ fits: (String) -> Bool) throws {
        try Waiting.until("something is stored", pause: 2) { try stored().contains(where: fits) }
    }

    private var environment: [String: String] { ["HOME": folder.path("home"), "LC_ALL": "C.UTF-8"] }

    /// A program that SwiftPM built beside the tests.
    private static func program(_ name: String) -> String {
        URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().appending(path: name).path
    }
}
