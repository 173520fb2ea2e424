import BackupEngine
import Foundation
import TestSupport
import Testing

/// PostgreSQL's own way to put a chain together: the backups unpacked with `zstd` and `tar`, then `pg_combinebackup`.
struct ChainOracle {
    private let lab: EngineLab
    private let cluster: PostgresCluster
    private let folder: TemporaryFolder

    init(_ lab: EngineLab, _ cluster: PostgresCluster) throws {
        self.lab = lab
        self.cluster = cluster
        folder = try TemporaryFolder()
    }

    /// Puts a chain together.
    /// - Parameters:
    ///   - chain: the newest first.
    ///   - tablespaces: the folder that each tablespace shall be in, by its OID.
    /// - Returns: the data directory.
    func combine(_ chain: [BackupRecord], tablespaces: [String: String]) throws -> String {
        var inputs: [String] = []
        for record in chain.reversed() { inputs.append(try unpack(record)) }
        let output = folder.path("combined-\(chain[0].label)")
        guard inputs.count > 1 else { return inputs[0] }
        var arguments = ["-o", output, "--no-sync"]
        for (oid, target) in tablespaces { arguments += ["-T", "\(space(chain[0], oid))=\(target)"] }
        try Program.check(cluster.bin("pg_combinebackup"), arguments + inputs)
        return output
    }

    private func space(_ record: BackupRecord, _ oid: String) -> String { folder.path("space-\(record.label)-\(oid)") }

    /// Unpacks one backup as it was sent.
    private func unpack(_ record: BackupRecord) throws -> String {
        let data = folder.path("\(record.label)")
        if FileManager.default.fileExists(atPath: data) { return data }
        let backup = lab.folder.path("repository/primary/backup/\(record.label)")
        func unpack(_ archive: String, into target: String) throws {
            try Program.check(
                "/bin/sh",
                ["-c", "mkdir -p '\(target)' && cat '\(backup)'/data/\(archive).* | zstd -dcq | tar -x -C '\(target)'"])
        }
        try unpack("base", into: data)
        try unpack("pg_wal", into: data + "/pg_wal")
        try Program.check("/bin/sh", ["-c", "zstd -dcq '\(backup)/backup.manifest.zstd' > '\(data)/backup_manifest'"])
        for tablespace in record.tablespaces {
            let target = space(record, "\(tablespace.oid)")
            try unpack("\(tablespace.oid)", into: target)
            let link = data + "/pg_tblspc/\(tablespace.oid)"
            try? FileManager.default.removeItem(atPath: link)
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: target)
        }
        return data
    }

    /// Compares two trees byte for byte, links by what they lead to. The manifest is left out: its lines may come in another
    /// order, and `pg_verifybackup` judges it.
    static func expectEqual(_ found: String, _ expected: String) throws {
        let outcome = try Program.run(
            "/usr/bin/diff", ["-r", "-q", "--exclude=backup_manifest", found, expected], timeout: .seconds(300))
        #expect(outcome.status == 0, "\(outcome.text)\(outcome.errorText)")
    }
}
