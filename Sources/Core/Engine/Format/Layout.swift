package import BackupAPI
import PostgresClient

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

    /// In this folder stand the wrapped repository keys.
    static let keysFolder = "keys"
    package static let keysPrefix = keysFolder + "/"

    /// A wrapped repository key.
    /// - Parameter revision: how often its recipients were changed.
    package static func key(_ id: String, revision: Int = 0) throws(StorageError) -> ObjectKey {
        try ObjectKey("\(keysPrefix)\(id)\(revision == 0 ? "" : "." + numbered(revision, digits: 9)).json")
    }

    /// Whose presence says that nothing is encrypted with a repository key any more.
    package static func retiredKey(_ id: String) throws(StorageError) -> ObjectKey {
        try ObjectKey("\(keysPrefix)\(id).retired")
    }

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

    /// Below this stands the WAL archive of a server.
    package static func walPrefix(_ server: String) -> String { "\(server)/wal/" }

    /// Below this stand the archived files of one timeline.
    static func walPrefix(_ server: String, _ timeline: Timeline) -> String {
        walPrefix(server) + timeline.historyFileName.prefix(8) + "/"
    }

    /// The record of an archived file.
    static func walRecord(_ server: String, _ name: WALFileName) throws(StorageError) -> ObjectKey {
        try walObject(server, name.timeline, name.string + walRecordSuffix)
    }

    /// What the record's name adds to that of the archived file.
    static let walRecordSuffix = ".json"

    /// An object of the WAL archive by its path below the folder of its timeline.
    static func walObject(
        _ server: String, _ timeline: Timeline, _ path: String
    ) throws(StorageError) -> ObjectKey {
        try ObjectKey(walPrefix(server, timeline) + path)
    }

    /// The archived file whose record has a key; nil when it is not that of a record.
    static func walFile(ofRecord key: ObjectKey, _ server: String) -> WALFileName? {
        let name = key.name
        guard name.hasSuffix(walRecordSuffix), let file = WALFileName(String(name.dropLast(walRecordSuffix.count))),
            let own = try? walRecord(server, file), own == key
        else { return nil }
        return file
    }

    /// The timeline in whose folder of the WAL archive an object stands.
    static func walTimeline(of key: ObjectKey, _ server: String) -> Timeline? {
        let folder = key.string.dropFirst(walPrefix(server).count).prefix { $0 != "/" }
        return WALFileName("\(folder).history")?.timeline
    }

    /// The place in the log of what an object of the WAL archive holds or tells about; nil for a timeline's history, and for what is
    /// not of the archive.
    static func walPlace(of key: ObjectKey, _ server: String) -> UInt64? {
        guard let timeline = walTimeline(of: key, server), let file = WALFileName(String(key.name.prefix(24))),
            file.kind == .segment, file.timeline == timeline, key.name.dropFirst(24).first == "."
        else { return nil }
        return file.place
    }

    /// Below this stand the places before which retention removed WAL.
    static func walFloorPrefix(_ server: String) -> String { walPrefix(server) + "removed-before/" }

    /// Says that retention removed the WAL from before a segment.
    static func walFloor(_ server: String, _ segment: WALFileName) throws(StorageError) -> ObjectKey {
        try ObjectKey(walFloorPrefix(server) + segment.string)
    }

    /// Below this stand summaries of the log, each named by the segment in which it begins, and by its beginning and end.
    static func summaryPrefix(_ server: String) -> String { "\(server)/summary/" }

    /// A summary of the log.
    static func summary(
        _ server: String, _ segment: WALSegment, from start: LSN, to end: LSN
    ) throws(StorageError) -> ObjectKey {
        func digits(_ position: LSN) -> String {
            let text = String(position.position, radix: 16, uppercase: true)
            return String(repeating: "0", count: 16 - text.utf8.count) + text
        }
        return try ObjectKey("\(summaryPrefix(server))\(segment.name).\(digits(start))-\(digits(end)).json")
    }

    /// Where a summary begins and ends, by its key; nil when it is none.
    static func summaryRange(
        of key: ObjectKey
    ) -> (segment: WALFileName, start: LSN, end: LSN)? {
        let parts = key.name.split(separator: ".")
        guard parts.count == 3, parts[2] == "json", let segment = WALFileName(String(parts[0])),
            segment.kind == .segment
        else { return nil }
        let positions = parts[1].split(separator: "-").map { $0.utf8.count == 16 ? UInt64($0, radix: 16) : nil }
        guard positions.count == 2, let start = positions[0], let end = positions[1], start < end else { return nil }
        return (segment, LSN(start), LSN(end))
    }

    private static func numbered(_ number: Int, digits: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
    }
}
