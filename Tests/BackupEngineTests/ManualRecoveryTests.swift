import BackupAPI
import BackupEngine
import PostgresClient
import TestSupport
import Testing

/// Promise 7: an unencrypted backup can be restored with the usual tools. The commands are those of docs/RECOVERY.md.
@Suite struct ManualRecoveryTests {
    /// A compression and how RECOVERY.md says that it is undone.
    struct Unpacking: Sendable, CustomTestStringConvertible {
        let major: Int
        let compression: String?
        let suffix: String
        let program: String
        var testDescription: String { "PostgreSQL \(major), \(compression ?? "none")" }
    }

    @Test(arguments: [
        Unpacking(major: 14, compression: "lz4", suffix: ".lz4", program: "lz4 -dc"),
        Unpacking(major: 17, compression: "zstd", suffix: ".zstd", program: "zstd -dc"),
        Unpacking(major: 18, compression: nil, suffix: "", program: "cat"),
    ])
    func `the documented commands restore a cluster that starts with the same rows`(_ how: Unpacking) async throws {
        let cluster = try PostgresCluster.start(how.major)
        let folder = try TemporaryFolder()
        let rows = try Self.fill(cluster, "CREATE TABLE t AS")
        let backup = try await Self.backup(cluster, how, in: folder)
        let data = folder.path("restored")
        let variables = ["backup": backup, "data": data, "suffix": how.suffix, "unpack": how.program]

        try Self.run(["check", "unpack"], variables)

        try Self.requireManifestFits(data, cluster)
        let copy = try PostgresCluster.start(how.major, onDataFolder: data)
        #expect(try Self.rows(copy) == rows)
        copy.remove()
    }

    @Test func `the documented commands restore a tablespace to another folder`() async throws {
        let how = Unpacking(major: 15, compression: "gzip", suffix: ".gz", program: "gzip -dc")
        let cluster = try PostgresCluster.start(how.major)
        let folder = try TemporaryFolder()
        let location = cluster.socketFolder + "/space"
        try cluster.psql("COPY (SELECT 1) TO PROGRAM 'cat > /dev/null; mkdir \(location)'")
        try cluster.psql("CREATE TABLESPACE space LOCATION '\(location)'")
        let rows = try Self.fill(cluster, "CREATE TABLE t TABLESPACE space AS")
        let oid = try cluster.psql("SELECT oid FROM pg_tablespace WHERE spcname = 'space'")
        let backup = try await Self.backup(cluster, how, in: folder)
        let (data, space) = (folder.path("restored"), folder.path("new-space"))
        let variables = [
            "backup": backup, "data": data, "suffix": how.suffix, "unpack": how.program, "oid": oid, "space": space,
        ]

        try Self.run(["check", "unpack", "tablespace"], variables)

        try Self.requireManifestFits(data, cluster)
        try Program.check("/bin/chown", ["-R", "--reference", data + "/PG_VERSION", space])
        // Nothing of the first server can be read any more: what comes is from the new folder.
        cluster.remove()
        let copy = try PostgresCluster.start(how.major, onDataFolder: data)
        #expect(try copy.psql("SELECT pg_tablespace_location(\(oid))") == space)
        #expect(try Self.rows(copy) == rows)
        copy.remove()
    }

    @Test func `a backup whose record is lost is checked and restored by the documented commands`() async throws {
        let how = Unpacking(major: 17, compression: "zstd", suffix: ".zstd", program: "zstd -dc")
        let cluster = try PostgresCluster.start(how.major)
        let folder = try TemporaryFolder()
        let rows = try Self.fill(cluster, "CREATE TABLE t AS")
        let backup = try await Self.backup(cluster, how, in: folder)
        let data = folder.path("restored")
        try Program.check("/bin/rm", ["\(backup)/backup.info"])

        let variables = ["backup": backup, "data": data, "suffix": how.suffix, "unpack": how.program]
        try Self.run(["check-without-record", "unpack"], variables)
        try Program.check("/bin/sh", ["-c", "printf x | dd of=\(backup)/backup.index.zstd bs=1 seek=7 conv=notrunc"])
        let damaged = try Program.run(
            "/bin/sh", ["-c", Self.script(["check-without-record"])], environment: variables)

        #expect(damaged.status != 0)
        try Self.requireManifestFits(data, cluster)
        let copy = try PostgresCluster.start(how.major, onDataFolder: data)
        #expect(try Self.rows(copy) == rows)
        copy.remove()
    }

    @Test func `a chain of a PostgreSQL without incremental backups is joined by the documented commands`() async throws
    {
        let how = Unpacking(major: 15, compression: "zstd", suffix: ".zstd", program: "zstd -dc")
        let cluster = try PostgresCluster.start(how.major, settings: ["wal_keep_size": "1GB"])
        let folder = try TemporaryFolder()
        _ = try Self.fill(cluster, "CREATE TABLE t AS")
        let full = try await Self.backup(cluster, how, in: folder)
        try cluster.psql(
            "UPDATE t SET md5 = 'changed' WHERE i % 1000 = 0; INSERT INTO t SELECT i, 'new' FROM generate_series(30000, 40000) i"
        )
        let rows = try Self.rows(cluster)
        let child = try await Self.backup(cluster, how, in: folder, on: "newest")
        let (older, data) = (folder.path("older"), folder.path("restored"))

        try Self.run(
            ["check", "unpack"], ["backup": full, "data": older, "suffix": how.suffix, "unpack": how.program])
        try Self.run(
            ["check", "unpack"], ["backup": child, "data": data, "suffix": how.suffix, "unpack": how.program])
        try Self.run(["join"], ["older": older, "data": data])

        let copy = try PostgresCluster.start(how.major, onDataFolder: data)
        #expect(try Self.rows(copy) == rows)
        copy.remove()
    }

    @Test func `sha512sum finds a changed byte`() async throws {
        let how = Unpacking(major: 17, compression: "zstd", suffix: ".zstd", program: "zstd -dc")
        let cluster = try PostgresCluster.start(how.major)
        let folder = try TemporaryFolder()
        let backup = try await Self.backup(cluster, how, in: folder)
        let volume = "data/base.000001.tar.zstd"

        try Program.check("/bin/sh", ["-c", "printf x | dd of=\(backup)/\(volume) bs=1 seek=4711 conv=notrunc"])

        let check = try Program.run("/bin/sh", ["-c", Self.script(["check"])], environment: ["backup": backup])
        #expect(check.status != 0)
        #expect(check.text.contains("\(volume): FAILED"))
    }

    /// Makes a table and gives a digest of its rows.
    private static func fill(_ cluster: PostgresCluster, _ beginning: String) throws -> String {
        try cluster.psql("\(beginning) SELECT i, md5(i::text) FROM generate_series(1, 20000) i")
        return try rows(cluster)
    }

    private static func rows(_ cluster: PostgresCluster) throws -> String {
        try cluster.psql("SELECT count(*), md5(string_agg(t::text, ',' ORDER BY i)) FROM t")
    }

    /// Takes a backup and gives its folder.
    private static func backup(
        _ cluster: PostgresCluster, _ how: Unpacking, in folder: TemporaryFolder, on parent: String? = nil
    ) async throws -> String {
        let lab = EngineLab(folder: folder)
        var plan = lab.plan(cluster, compression: how.compression)
        plan.parent = parent.map { ParentRequest(identifier: $0, codecs: lab.codecs) }
        let ready = plan
        let outcome = try await onPool { try await lab.backup(ready) }
        return folder.path("repository/primary/backup/\(outcome.record.label)")
    }

    private static func requireManifestFits(_ data: String, _ cluster: PostgresCluster) throws {
        // The server of version 14 comes without pg_waldump.
        let arguments = (cluster.major == 14 ? ["-n"] : []) + [data]
        let check = try Program.run(try cluster.bin("pg_verifybackup"), arguments)
        #expect(check.status == 0, "\(check.errorText)")
    }

    private static func run(_ blocks: [String], _ variables: [String: String]) throws {
        try Program.check("/bin/sh", ["-c", script(blocks)], environment: variables)
    }

    /// The commands of RECOVERY.md that stand behind `<!-- run: NAME -->`, so that they end at the first that fails.
    private static func script(_ blocks: [String]) throws -> String {
        let root = #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" }
        let page = try Program.check("/bin/cat", [root + "/docs/RECOVERY.md"])
        let commands = try blocks.map { name in
            guard let mark = page.firstRange(of: "<!-- run: \(name) -->\n```sh\n"),
                let end = page[mark.upperBound...].firstRange(of: "```")
            else { throw ProgramError(description: "RECOVERY.md has no commands named '\(name)'") }
            return String(page[mark.upperBound..<end.lowerBound])
        }
        return "set -eu\n" + commands.joined()
    }
}
