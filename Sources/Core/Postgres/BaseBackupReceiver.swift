/// Takes a base backup as it comes. Calls come one after the other, from the task that called `baseBackup`.
///
/// Order: `backupStarted`, then for each archive `archiveStarted`, `archiveBytes`…, `archiveEnded`, then `manifestBytes`… An
/// error that a method throws ends the backup and is thrown by `baseBackup`, unchanged.
package protocol BaseBackupReceiver: AnyObject {
    /// The server has made its checkpoint and begins.
    func backupStarted(_ start: BaseBackupStart) async throws
    /// The next archive begins.
    func archiveStarted(_ archive: BaseBackupArchive) async throws
    /// The archive's next bytes, at most some tens of KiB; they are gone after the call.
    func archiveBytes(_ bytes: RawSpan) async throws
    /// The archive is complete.
    func archiveEnded() async throws
    /// The manifest's next bytes; they are gone after the call.
    func manifestBytes(_ bytes: RawSpan) async throws
}

/// What a server says when it begins a base backup.
package struct BaseBackupStart: Sendable, Hashable {
    /// Where recovery begins to read WAL.
    package let startLSN: LSN
    /// The timeline of that position.
    package let timeline: Timeline
    /// The tablespaces beside the standard ones.
    package let tablespaces: [BaseBackupTablespace]
    /// The server's estimate of all archives in bytes; nil when `progress` was not asked for.
    package let estimatedByteCount: Int?

    /// Makes a beginning.
    package init(startLSN: LSN, timeline: Timeline, tablespaces: [BaseBackupTablespace], estimatedByteCount: Int?) {
        self.startLSN = startLSN
        self.timeline = timeline
        self.tablespaces = tablespaces
        self.estimatedByteCount = estimatedByteCount
    }
}

/// A tablespace of a base backup.
package struct BaseBackupTablespace: Sendable, Hashable {
    /// The number that names it.
    package let oid: String
    /// Its folder on the server.
    package let location: String
    /// The server's estimate in kB; nil when `progress` was not asked for.
    package let sizeInKilobytes: Int?

    /// Makes a tablespace.
    package init(oid: String, location: String, sizeInKilobytes: Int?) {
        self.oid = oid
        self.location = location
        self.sizeInKilobytes = sizeInKilobytes
    }
}

/// One tar stream of a base backup.
package struct BaseBackupArchive: Sendable, Hashable {
    /// `base`, or the tablespace's number.
    package let name: String
    /// The tablespace's folder on the server; nil for `base`.
    package let location: String?

    /// The archive of the data folder.
    package static let base = BaseBackupArchive(name: "base", location: nil)

    /// Makes an archive's description.
    package init(name: String, location: String?) {
        self.name = name
        self.location = location
    }
}

/// What a server says when a base backup is complete.
package struct BaseBackupEnd: Sendable, Hashable {
    /// Recovery must reach this position before the cluster is consistent.
    package let endLSN: LSN
    /// The timeline of that position.
    package let timeline: Timeline

    /// Makes an end.
    package init(endLSN: LSN, timeline: Timeline) {
        self.endLSN = endLSN
        self.timeline = timeline
    }
}
