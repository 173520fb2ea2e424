import Glibc

/// The permission bits of what a restore writes: those that were recorded, as far as PostgreSQL lets them be.
///
/// PostgreSQL wants folders of 0700 and files of 0600, or 0750 and 0640 in a cluster whose group may read (documentation,
/// "initdb", `--allow-group-access`). A server looks at its data directory to know which, and no archive has an entry for that;
/// `global` stands for it, which every cluster has and the server makes with the same bits.
struct RestoredModes: Sendable {
    private static let groupReadsFile: UInt32 = 0o040
    private static let groupReadsFolder: UInt32 = 0o050
    /// Whether the cluster's group may read.
    private let allowsGroup: Bool

    init(_ snapshot: Snapshot) {
        allowsGroup = snapshot.folders.contains {
            $0.root == .data && $0.path == "global" && $0.mode & Self.groupReadsFolder == Self.groupReadsFolder
        }
    }

    /// The data directory and the folders of tablespaces.
    var root: mode_t { allowsGroup ? 0o750 : 0o700 }

    /// A file that is no member of an archive of PostgreSQL's.
    var ownFile: mode_t { allowsGroup ? 0o640 : 0o600 }

    /// A folder. Only both bits let a group read it.
    func folder(_ recorded: UInt32) -> mode_t {
        recorded & Self.groupReadsFolder == Self.groupReadsFolder ? 0o750 : 0o700
    }

    /// A file. The entries of `pg_wal` are made by us; their bits say nothing about the server's.
    func file(_ recorded: UInt32, in root: Snapshot.Root) -> mode_t {
        if root == .wal { return ownFile }
        return recorded & Self.groupReadsFile == 0 ? 0o600 : 0o640
    }
}
