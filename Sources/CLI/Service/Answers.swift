package import BackupAPI

/// Who answers for a server: its name, and its PostgreSQL version where it is known.
package struct ServerIdentity: Sendable, Hashable {
    /// The configured name.
    package var name: String
    /// PostgreSQL's major version; nil when neither the server nor a backup tells it.
    package var majorVersion: Int?
    /// PostgreSQL's minor version.
    package var minorVersion: Int?

    /// Makes an identity.
    package init(name: String, majorVersion: Int? = nil, minorVersion: Int? = nil) {
        self.name = name
        self.majorVersion = majorVersion
        self.minorVersion = minorVersion
    }
}

/// How one target came out.
package struct TargetOutcome: Sendable, Hashable {
    /// How it came out.
    package enum Status: String, Sendable, Hashable, CaseIterable {
        /// The backup is there, durable and whole; in a list of all backups, the target was looked at.
        case complete
        /// It is not there, or is damaged, or nobody could look.
        case failed
        /// It is not there, and was not to be.
        case absent
    }

    /// The target's name.
    package var target: String
    /// How it came out.
    package var status: Status
    /// The error's summary, where it failed.
    package var error: String?
    /// What the place promises for an object that is complete; nil where nothing is.
    package var durability: Capabilities.Durability?
    /// When a verification of the backup there was noted last, in seconds since 1970; nil for never.
    package var verifiedAt: Int?
    /// Bytes that are free there; nil where nobody asked, or the place does not tell.
    package var freeByteCount: Int?

    /// Makes an outcome.
    package init(
        target: String, status: Status, error: String? = nil, durability: Capabilities.Durability? = nil
    ) {
        self.target = target
        self.status = status
        self.error = error
        self.durability = durability
    }
}

/// A backup as replies show it.
package struct BackupSummary: Sendable, Hashable {
    /// A tablespace of the backup.
    package struct Tablespace: Sendable, Hashable {
        /// Its name in PostgreSQL, or its OID where the name is not known.
        package var name: String
        /// Its directory on the server.
        package var path: String

        /// Makes a tablespace.
        package init(name: String, path: String) {
            self.name = name
            self.path = path
        }
    }

    /// `YYYYMMDDHHMMSS`.
    package var label = ""
    /// The server's configured name.
    package var server = ""
    /// Stored bytes.
    package var backupByteCount = 0
    /// Bytes that a restore writes.
    package var restoreByteCount = 0
    /// What people noted, by key.
    package var comments: [String: String] = [:]
    /// The compression's recorded name; nil is none.
    package var compression: String?
    /// The encryption's recorded name; nil is none.
    package var encryption: String?
    /// How long it took.
    package var elapsedSeconds = 0
    /// Where the backup begins, ends, and where its checkpoint is.
    package var startLSN: UInt64 = 0
    package var endLSN: UInt64 = 0
    package var checkpointLSN: UInt64 = 0
    /// The timelines at begin and end.
    package var startTimeline = 0
    package var endTimeline = 0
    /// The label of the backup that this one is based on; nil for a full one.
    package var parent: String?
    /// The labels of all that it builds on and its own, oldest first; empty where nobody asked.
    package var chain: [String] = []
    /// Whether retention leaves it alone.
    package var isKept = false
    /// When a verification was noted last on the target where that is longest ago, in seconds since 1970; nil for never.
    package var verifiedAt: Int?
    /// PostgreSQL's version.
    package var majorVersion = 0
    package var minorVersion = 0
    /// The tablespaces besides the standard ones.
    package var tablespaces: [Tablespace] = []
    /// Whether it is known to be good.
    package var validity = Validity.unknown
    /// The name of the first WAL segment that it needs.
    package var walSegment = ""
    /// Stored bytes of the WAL in it; 0 where its record does not tell them.
    package var walByteCount = 0
    /// How each target came out.
    package var targets: [TargetOutcome] = []

    /// Makes an empty summary, to be filled.
    package init() {}
}

/// The answer to `backup` and `info`.
package struct BackupAnswer: Sendable, Hashable {
    /// The backup.
    package var summary: BackupSummary

    /// Makes an answer.
    package init(_ summary: BackupSummary) { self.summary = summary }
}

/// The answer to `list-backup`.
package struct BackupListAnswer: Sendable, Hashable {
    /// The server.
    package var server: ServerIdentity
    /// In the order that was asked for.
    package var backups: [BackupSummary]
    /// Whether each target could be looked at.
    package var targets: [TargetOutcome]

    /// Makes an answer.
    package init(server: ServerIdentity, backups: [BackupSummary], targets: [TargetOutcome]) {
        self.server = server
        self.backups = backups
        self.targets = targets
    }
}

/// The answer to `restore`.
package struct RestoreAnswer: Sendable, Hashable {
    /// The backup that was restored; of its targets, those that were of no use have failed.
    package var summary: BackupSummary
    /// The directory that was written.
    package var directory: String

    /// Makes an answer.
    package init(_ summary: BackupSummary, directory: String) {
        self.summary = summary
        self.directory = directory
    }
}

/// The answer to `archive`.
package struct ArchiveAnswer: Sendable, Hashable {
    /// The backup; of its targets, those that were of no use have failed.
    package var summary: BackupSummary
    /// Where the tar file is; `-` on standard output.
    package var archive: String
    /// Its bytes.
    package var byteCount: Int
    /// Its bytes before it was encoded.
    package var plainByteCount: Int

    /// Makes an answer.
    package init(_ summary: BackupSummary, archive: String, byteCount: Int, plainByteCount: Int) {
        self.summary = summary
        self.archive = archive
        self.byteCount = byteCount
        self.plainByteCount = plainByteCount
    }
}

/// The answer to `delete`.
package struct DeleteAnswer: Sendable, Hashable {
    /// The backup that was asked for, with what became of it on each target: `absent` where it is gone.
    package var summary: BackupSummary
    /// The labels of all that were deleted on any target, in that order.
    package var deleted: [String]

    /// Makes an answer.
    package init(_ summary: BackupSummary, deleted: [String]) {
        self.summary = summary
        self.deleted = deleted
    }
}

/// The answer to `copy`.
package struct CopyAnswer: Sendable, Hashable {
    /// The backup, with the destination as its target.
    package var summary: BackupSummary
    /// The target it came from.
    package var source: String
    /// The target it went to.
    package var destination: String
    /// Bytes of the objects that were copied, those of parents too.
    package var copiedByteCount: Int
    /// How many objects were there already, whole.
    package var skippedObjectCount: Int

    /// Makes an answer.
    package init(
        _ summary: BackupSummary, source: String, destination: String, copiedByteCount: Int, skippedObjectCount: Int
    ) {
        self.summary = summary
        self.source = source
        self.destination = destination
        self.copiedByteCount = copiedByteCount
        self.skippedObjectCount = skippedObjectCount
    }
}
