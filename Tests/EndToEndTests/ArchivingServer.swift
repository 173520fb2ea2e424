import Foundation
import TestSupport
import Testing

/// A server that archives its log with `pgmoneta-cli`, as its own user and with an installation that this user may read.
struct ArchivingServer {
    let cluster: PostgresCluster
    let installation: Installation
    /// The program where the server's user may start it.
    private let program: String

    /// Starts the server and makes it archive.
    /// - Parameters:
    ///   - places: other targets than the local one.
    ///   - general: more lines of `[pgmoneta]`.
    init(_ major: Int = 17, places: Places? = nil, general: [String] = []) throws {
        cluster = try PostgresCluster.start(
            major, settings: ["archive_mode": "on", "autovacuum": "off"], initdbArguments: ["--wal-segsize=1"])
        installation = try Installation(cluster, general: places?.lines(general: general) ?? general)
        program = installation.folder.path("pgmoneta-cli")
        try FileManager.default.copyItem(atPath: installation.command([])[0], toPath: program)
        try #require(try installation.administrate("master-key").status == 0)
        try giveAway()
        try cluster.psql("ALTER SYSTEM SET archive_command = '\(command(["wal-push", "primary"])) \"%p\"'")
        try cluster.psql("SELECT pg_reload_conf()")
    }

    /// The shell's command that runs the program as a server does.
    private func command(_ arguments: [String]) -> String {
        let home = installation.folder.path("home")
        return (["HOME=\(home)", program] + installation.command(arguments).dropFirst()).joined(separator: " ")
    }

    /// Gives the installation to the server's user.
    func giveAway() throws {
        guard geteuid() == 0 else { return }
        let owner = try Owner(of: cluster.dataFolder)
        try owner.own(installation.folder.path)
        for name in try installation.folder.tree() { try owner.own(installation.folder.path(name)) }
    }

    /// Ends the current segment and waits until it is archived.
    /// - Returns: the name of the segment.
    @discardableResult
    func archiveSegment() throws -> String {
        let name = try cluster.endSegment()
        do {
            try cluster.waitUntil("SELECT last_archived_wal >= '\(name)' FROM pg_stat_archiver")
        } catch {
            throw ProgramError(description: "\(error)\n\(cluster.log.suffix(4000))")
        }
        return name
    }

    /// A folder for restored clusters, which belongs to the server's user.
    func restoreFolder() throws -> String {
        let path = installation.folder.path("restored-\(UInt64.random(in: .min ... .max))")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        try Owner(of: cluster.dataFolder).own(path)
        return path
    }

    /// Runs `pgmoneta-cli` to its end as the server's user.
    func run(_ arguments: [String], timeout: Duration = .seconds(600)) throws -> ProgramOutcome {
        guard geteuid() == 0 else { return try installation.start(arguments).finish(timeout: timeout) }
        let owner = try Program.check("/usr/bin/stat", ["-c", "%u %g", cluster.dataFolder]).split { $0.isWhitespace }
        let identity = ["--reuid=\(owner[0])", "--regid=\(owner[1])", "--clear-groups", "--"]
        return try Program.run(
            "/usr/bin/setpriv", identity + [program] + installation.command(arguments).dropFirst(),
            environment: ["HOME": installation.folder.path("home")], timeout: timeout)
    }

    /// Takes a backup that must succeed.
    /// - Returns: its label.
    @discardableResult
    func backup() throws -> String {
        let outcome = try run(["backup", "primary", "-F", "json"])
        try #require(outcome.status == 0, "\(outcome.errorText)")
        return try JSONReply(outcome).text("Response", "Backup")
    }
}
