import BackupAPI
import BackupEngine
import TestSupport
import Testing

/// PostgreSQL sends every file in its data directory, whatever the bytes of its name are.
@Suite struct ForeignNameTests {
    /// Files whose names are not UTF-8, or have characters that the format uses, or that look alike.
    private static let script = """
        mkdir odd "odd/$(printf '\\377dir')"
        printf latin >"odd/caf$(printf '\\351')"
        printf utf8 >"odd/caf$(printf '\\303\\251')"
        printf decomposed >"odd/cafe$(printf '\\314\\201')"
        printf cut >"odd/$(printf '\\303')"
        printf escape >"odd/$(printf '\\364\\217\\277\\251')"
        printf quote >"odd/\\"$(printf '\\314\\201')\\\\"
        : >"odd/$(printf '\\377dir/\\200\\277')"
        chown -R --reference PG_VERSION odd
        """

    private let folder: TemporaryFolder
    private let lab: EngineLab

    init() throws {
        folder = try TemporaryFolder()
        lab = EngineLab(folder: folder)
    }

    private func start(_ major: Int) throws -> PostgresCluster {
        let cluster = try PostgresCluster.start(major)
        try Self.run(Self.script, in: cluster.dataFolder)
        return cluster
    }

    private static func run(_ script: String, in folder: String) throws {
        try Program.check("/bin/sh", ["-euc", "cd \"$0\"\n\(script)", folder])
    }

    /// Compares names and contents with those of the cluster, and all files with the manifest beside them.
    private func expectSame(_ data: String, _ cluster: PostgresCluster) throws {
        let difference = try Program.run("/usr/bin/diff", ["-r", cluster.dataFolder + "/odd", data + "/odd"])
        #expect(difference.status == 0, "\(difference.text)\(difference.errorText)")
        let check = try Program.run(
            try cluster.bin("pg_verifybackup"), (cluster.major == 14 ? ["-n"] : []) + [data])
        #expect(check.status == 0, "\(check.errorText)")
    }

    @Test(arguments: [14, 17, 18])
    func `files with names of any bytes are backed up, verified and restored`(major: Int) async throws {
        let cluster = try start(major)
        let data = folder.path("restored")

        try await onPool {
            let label = try await lab.backup(lab.plan(cluster, manifestChecksums: "SHA256")).record.label
            let report = try await lab.verify(label)
            #expect(report.isSound, "\(report)")
            _ = try await lab.restore(label, to: RestorePlan(dataDirectory: data))
        }

        try expectSame(data, cluster)
    }

    @Test(arguments: [RestorePlan.Existing.replace, .update])
    func `a chain with such names takes the place of a directory with others`(
        existing: RestorePlan.Existing
    ) async throws {
        let cluster = try start(17)
        let data = folder.path("restored")
        let label = try await onPool {
            _ = try await lab.backup(lab.plan(cluster))
            var plan = lab.plan(cluster)
            plan.parent = ParentRequest(identifier: "newest", codecs: lab.codecs)
            let label = try await lab.backup(plan).record.label
            _ = try await lab.restore(label, to: RestorePlan(dataDirectory: data))
            return label
        }
        try expectSame(data, cluster)
        let change = """
            mkdir "$(printf '\\240')" && echo >"$(printf '\\240/\\241')" && echo >"odd/$(printf '\\350')"
            rm odd/caf* && echo changed >"odd/$(printf '\\303')"
            """
        try Self.run(change, in: data)

        try await onPool {
            _ = try await lab.restore(label, to: RestorePlan(dataDirectory: data, existing: existing))
        }

        try expectSame(data, cluster)
    }
}
