package import BackupAPI

/// Why an operation of the engine failed, where neither storage nor codec nor PostgreSQL is to blame alone.
package struct EngineError: Remediable, Hashable {
    package enum Reason: String, Sendable, Hashable, CaseIterable {
        case unknownBackup = "unknown-backup"
        case ambiguousBackup = "ambiguous-backup"
        case noBackup = "no-backup"
        case backupInvalid = "backup-invalid"
        case recordDamaged = "record-damaged"
        case recordUnreadable = "record-unreadable"
        case indexDamaged = "index-damaged"
        case objectDamaged = "object-damaged"
        case memberDamaged = "member-damaged"
        case manifestMismatch = "manifest-mismatch"
        case streamMalformed = "stream-malformed"
        case otherCluster = "other-cluster"
        case busy
        case labelTaken = "label-taken"
        case parentMissing = "parent-missing"
        case chainBroken = "chain-broken"
        case isParent = "is-parent"
        case noIncremental = "no-incremental"
        case directoryNotEmpty = "directory-not-empty"
        case directoryUnusable = "directory-unusable"
        case noSpace = "no-space"
        case tablespaceUnusable = "tablespace-unusable"
        case commentExists = "comment-exists"
        case commentMissing = "comment-missing"
        case commentTooLong = "comment-too-long"
        case backupKept = "backup-kept"
        case notesDamaged = "notes-damaged"
        case walMalformed = "wal-malformed"
        case walDiffers = "wal-differs"
        case walAbsent = "wal-absent"
        case walMissing = "wal-missing"
        case walUnavailable = "wal-unavailable"
        case fileUnusable = "file-unusable"
        case fileExists = "file-exists"
        case unsupportedFormat = "unsupported-format"
        case masterKeyMissing = "master-key-missing"
        case notRecipient = "not-a-recipient"
        case recipientExists = "recipient-exists"
        case recipientUnknown = "recipient-unknown"
        case recipientAbsent = "recipient-absent"
        case lastRecipient = "last-recipient"
        case keyDamaged = "key-damaged"
        case encryptionRequired = "encryption-required"
        case plainRepository = "plain-repository"
        case inboxFull = "inbox-full"
        case unsupported
        case cancelled
    }

    package let reason: Reason
    /// What is concerned, in the operator's words.
    package let detail: String
    private let specificRemedy: String?

    package init(_ reason: Reason, _ detail: String, remedy: String? = nil) {
        self.reason = reason
        self.detail = detail
        specificRemedy = remedy
    }

    package var code: String { reason.rawValue }

    /// The same error, saying which backup it is about.
    func about(_ label: BackupLabel) -> EngineError {
        detail.contains(label.string) ? self : EngineError(reason, "\(detail), of \(label)", remedy: specificRemedy)
    }

    package var retry: RetryAdvice { reason == .busy ? .later : .never }

    package var summary: String {
        switch reason {
        case .unknownBackup: "there is no such backup: \(detail)"
        case .ambiguousBackup: "the identifier fits several backups: \(detail)"
        case .noBackup: "there is no valid backup: \(detail)"
        case .backupInvalid: "the backup is not valid: \(detail)"
        case .recordDamaged: "the record of the backup is damaged: \(detail)"
        case .recordUnreadable: "the record of the backup cannot be read: \(detail)"
        case .indexDamaged: "the index of the backup is damaged: \(detail)"
        case .objectDamaged: "a stored object is damaged: \(detail)"
        case .memberDamaged: "a file in the backup is damaged: \(detail)"
        case .manifestMismatch: "what arrived is not what PostgreSQL sent: \(detail)"
        case .streamMalformed: "PostgreSQL's stream cannot be understood: \(detail)"
        case .otherCluster: "the server name stands for another cluster: \(detail)"
        case .busy: "another run is at work: \(detail)"
        case .labelTaken: "there is another backup with that label: \(detail)"
        case .parentMissing: "the backup's parent is missing: \(detail)"
        case .chainBroken: "the backup does not fit to its parents: \(detail)"
        case .isParent: "other backups build on it: \(detail)"
        case .noIncremental: "an incremental backup is not possible: \(detail)"
        case .directoryNotEmpty: "the directory is not empty: \(detail)"
        case .directoryUnusable: "the directory cannot be used: \(detail)"
        case .noSpace: "there is not enough room: \(detail)"
        case .tablespaceUnusable: "a tablespace cannot be restored: \(detail)"
        case .commentExists: "there is a comment of that key: \(detail)"
        case .commentMissing: "there is no comment of that key: \(detail)"
        case .commentTooLong: "the comment is too long: \(detail)"
        case .backupKept: "the backup is kept: \(detail)"
        case .notesDamaged: "the notes about the backup cannot be believed: \(detail)"
        case .walMalformed: "the file is not what its name says: \(detail)"
        case .walDiffers: "the archive has another file of that name: \(detail)"
        case .walAbsent: "the archive does not have the file: \(detail)"
        case .walMissing: "the WAL archive does not lead there: \(detail)"
        case .walUnavailable: "nobody can tell whether the archive has the file: \(detail)"
        case .fileUnusable: "the file cannot be used: \(detail)"
        case .fileExists: "there is a file of that name: \(detail)"
        case .unsupportedFormat: "the repository's format is not known: \(detail)"
        case .masterKeyMissing: "the repository is encrypted and there is no key: \(detail)"
        case .notRecipient: "the repository does not open with this secret: \(detail)"
        case .recipientExists: "it is a recipient already: \(detail)"
        case .recipientUnknown: "there is no such recipient: \(detail)"
        case .recipientAbsent: "the secret of a recipient is not at hand: \(detail)"
        case .lastRecipient: "nobody could open the repository any more: \(detail)"
        case .keyDamaged: "a repository key is damaged: \(detail)"
        case .encryptionRequired: "the repository is encrypted: \(detail)"
        case .plainRepository: "the repository is not encrypted: \(detail)"
        case .inboxFull: "there is no room for more WAL: \(detail)"
        case .unsupported: "this is not possible: \(detail)"
        case .cancelled: "the operation was cancelled: \(detail)"
        }
    }

    package var remedy: String { specificRemedy ?? standardRemedy }

    private var standardRemedy: String {
        switch reason {
        case .unknownBackup, .ambiguousBackup: "Type 'pgmoneta-cli list-backup <server>' and use a label it shows."
        case .noBackup: "Take a backup with 'pgmoneta-cli backup <server>'."
        case .recordUnreadable: "Make it possible to read the object; 'pgmoneta-cli info' says what is in the way."
        case .backupInvalid, .recordDamaged, .indexDamaged, .objectDamaged, .memberDamaged:
            "Use another backup or another target; 'pgmoneta-cli verify' shows what is damaged."
        case .manifestMismatch:
            "Run the backup again; if it happens again, check the server's memory, disks and network."
        case .streamMalformed: "Check that the server is PostgreSQL 14 to 18; then run the backup again."
        case .otherCluster: "Use another server name for this cluster, or correct host and port in the configuration."
        case .busy: "Wait until it has ended, then run the command again."
        case .labelTaken: "Compare the two with 'pgmoneta-cli info --target', and delete the one you do not need."
        case .chainBroken: "Use another backup; 'pgmoneta-cli verify' shows what is damaged."
        case .isParent: "Delete those first, or add --cascade to delete them too."
        case .noIncremental: "Take a full backup: 'pgmoneta-cli backup' without an identifier."
        case .parentMissing: "Copy the parent first, or add --chain to copy all parents that are missing."
        case .directoryNotEmpty: "Choose an empty directory, or add --force to replace what is there."
        case .directoryUnusable: "Check that the directory exists and that you may write to it."
        case .noSpace: "Free space or choose another directory."
        case .tablespaceUnusable: "Name an empty folder for it with --tablespace-mapping OLD=NEW."
        case .commentExists: "Use 'update' to replace it."
        case .commentMissing: "Use 'add' to make one; 'pgmoneta-cli info' shows those that are there."
        case .commentTooLong: "Write a shorter one, or say where more can be read."
        case .backupKept: "Let it go with 'pgmoneta-cli expunge', or add --force."
        case .notesDamaged:
            "Delete that object if nobody can bring it back: comments and keep of the backup are lost with it. "
                + "'delete' takes --force."
        case .walMalformed:
            "Name a file of 'pg_wal' by its own name; PostgreSQL 14 to 18 with pages of 8 kB is supported."
        case .walDiffers:
            "Find out which of two servers archives under this name; give each cluster its own section of the configuration."
        case .walAbsent: "See what the archive has with 'pgmoneta-cli wal ls'."
        case .walMissing: "See what the archive has with 'pgmoneta-cli wal ls', and choose another position or backup."
        case .walUnavailable: "Check the path or URL of the target, and that it is mounted."
        case .fileUnusable: "Check the path and the file system."
        case .fileExists: "Remove or rename it, then run the command again."
        case .unsupportedFormat: "Use the version of pgmoneta that wrote it, or a newer one."
        case .masterKeyMissing:
            "Bring the master key file to this machine (~/.pgmoneta/master.key, mode 0600), or name it with --master-key."
        case .notRecipient:
            "Use the secret of one of them (--master-key, --passphrase-file, --key-command), or have one run 'pgmoneta-admin key add'."
        case .recipientExists: "Nothing is to be done; 'pgmoneta-admin key list' shows the recipients."
        case .recipientUnknown: "Type 'pgmoneta-admin key list' and use an id or a name that it shows."
        case .recipientAbsent:
            "Give it with --other-master-key, --other-passphrase-file or --other-key-command, "
                + "or leave the recipient out with --leave-out: it keeps what is there and cannot open new backups."
        case .lastRecipient: "Add another recipient first, with 'pgmoneta-admin key add'."
        case .keyDamaged:
            "Bring that object back from a copy, such as another target with the same backups ('keys/' there)."
        case .encryptionRequired: "Set 'encryption' in the configuration; plain objects are not written here."
        case .plainRepository:
            "Give encrypted backups a target of their own (another 'base_dir' or URL); --target still reads this one."
        case .inboxFull:
            "Make the targets take WAL again, or give it more room ('spool_limit'); until then the server keeps its WAL by the slot."
        case .unsupported: "Type the command with --help to see what is possible."
        case .cancelled: "Run the command again."
        }
    }
}
