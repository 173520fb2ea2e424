package import BackupAPI

/// Names of all objects of a repository (docs/FORMAT.md, "Objects").
package enum Layout {
    /// The version of the repository format that this program writes.
    package static let formatVersion = 1
    package static let recordName = "backup.info"
    package static let checksumsName = "backup.sha512"
    package static let manifestName = "backup.manifest"
    package static let indexName = "backup.index"

    /// The repository's own description.
    package static func repository() throws(StorageError) -> ObjectKey { try ObjectKey("repository.json") }

    /// Below this stand the wrapped repository keys.
    package static let keysPrefix = "keys/"

    /// A wrapped repository key.
    package static func key(_ id: String) throws(StorageError) -> ObjectKey { try ObjectKey("keys/\(id).json") }

    /// Which cluster a server name stands for.
    package static func identity(_ server: String) throws(StorageError) -> ObjectKey {
        try ObjectKey("\(server)/identity.json")
    }

    /// Below this stand the generations of one lease.
    package static func leasePrefix(_ server: String, _ operation: String) -> String { "\(server)/lease/\(operation)/" }

    /// Below this stand all backups of a server.
    package static func backupsPrefix(_ server: String) -> String { "\(server)/backup/" }

    /// Below this stand all objects of a backup.
    package static func backupPrefix(_ server: String, _ label: BackupLabel) -> String { "\(server)/backup/\(label)/" }

    /// An object of a backup by its path below the backup's folder.
    package static func object(
        _ server: String, _ label: BackupLabel, _ path: String
    ) throws(StorageError) -> ObjectKey {
        try ObjectKey(backupPrefix(server, label) + path)
    }

    /// The path of a volume below its backup's folder; volumes count from 1.
    package static func volumePath(archive: String, volume: Int, suffix: String) -> String {
        "data/\(archive).\(numbered(volume + 1, digits: 6)).tar\(suffix)"
    }

    /// Below this stand the revisions of what may change about a backup after its commit.
    package static func notesPrefix(_ server: String, _ label: BackupLabel) -> String {
        notesPrefix(server) + "\(label)/"
    }

    /// Below this stand the notes about all backups of a server.
    package static func notesPrefix(_ server: String) -> String { "\(server)/notes/" }

    /// A revision of the notes about a backup; they count from 1.
    package static func notes(
        _ server: String, _ label: BackupLabel, revision: Int
    ) throws(StorageError) -> ObjectKey {
        try ObjectKey(notesPrefix(server, label) + numbered(revision, digits: 9) + ".json")
    }

    private static func numbered(_ number: Int, digits: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
    }
}
