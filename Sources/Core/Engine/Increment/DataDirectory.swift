import PostgresClient
import WALFormat

/// Which of a server's files belong into a backup: those that PostgreSQL's own base backup sends
/// (documentation, "Backing Up the Data Directory"; `src/backend/backup/basebackup.c`).
struct DataDirectory {
    /// Folders that are kept, but empty: what is in them is of no use after a restore.
    static let emptied = [
        "pg_dynshmem", "pg_notify", "pg_replslot", "pg_serial", "pg_snapshots", "pg_stat_tmp", "pg_subtrans", "pg_wal",
    ]
    /// The file that says whether the cluster is whole; it is read last.
    static let control = "global/pg_control"
    private static let excludedNames: Set<Substring> = [
        "backup_label", "backup_manifest", "current_logfiles.tmp", "postgresql.auto.conf.tmp", "postmaster.opts",
        "postmaster.pid", "tablespace_map",
    ]
    private static let excludedPrefixes = ["pg_internal.init", "pgsql_tmp"]

    /// What is to be backed up, in the order of the listing, `control` last.
    let files: [ServerFile]

    /// - Parameters:
    ///   - listing: all that is there, folders before what is in them.
    ///   - versionFolder: the folder of this PostgreSQL in each tablespace; what else is there belongs to other clusters.
    ///   - tablespaces: those that were there when the backup began. One that came later comes again when the log is replayed, and
    ///     must not be there before.
    init(_ listing: [ServerFile], versionFolder: String, tablespaces: Set<Substring>) {
        let unlogged = Self.unlogged(listing)
        let inTablespaces = "pg_tblspc/"
        var leftOut = ""
        var kept: [ServerFile] = []
        var control: ServerFile?
        for file in listing {
            if !leftOut.isEmpty, file.path.hasPrefix(leftOut) { continue }
            let parts = file.path.split(separator: "/", omittingEmptySubsequences: false)
            guard let name = parts.last else { continue }
            let isForeign =
                file.path.hasPrefix(inTablespaces)
                && (!tablespaces.contains(parts[1]) || parts.count > 2 && parts[2] != versionFolder)
            if isForeign || Self.excludedNames.contains(name) || Self.excludedPrefixes.contains(where: name.hasPrefix) {
                if file.isFolder { leftOut = file.path + "/" }
                continue
            }
            if file.path == Self.control {
                control = file
                continue
            }
            if !file.isFolder, RelationFile.place(parts.dropLast()) != nil {
                if RelationFile.isTemporary(name) { continue }
                if let relation = RelationFile(path: file.path), relation.fork.fork != RelationFile.initial {
                    var initial = relation.fork
                    initial.fork = RelationFile.initial
                    if unlogged.contains(initial) { continue }
                }
            }
            kept.append(file)
        }
        files = kept + [control].compactMap { $0 }
    }

    /// The first forks of unlogged relations; only they are backed up.
    private static func unlogged(_ listing: [ServerFile]) -> Set<RelationFork> {
        Set(
            listing.lazy.filter { !$0.isFolder && $0.path.hasSuffix("_init") }
                .compactMap { RelationFile(path: $0.path)?.fork })
    }
}
