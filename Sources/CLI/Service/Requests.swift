import BackupAPI
package import BackupEngine

/// `backup <server> [identifier]`.
package struct BackupRequest: Sendable {
    /// The server, resolved.
    package var server: ServerSettings
    /// Where the backup goes; at least one.
    package var targets: [TargetDefinition]
    /// The backup that an incremental one is based on; nil takes a full one.
    package var parent: BackupIdentifier?
}

/// `list-backup <server>`.
package struct BackupListRequest: Sendable {
    /// The server, resolved.
    package var server: ServerSettings
    /// Where to look; at least one.
    package var targets: [TargetDefinition]
    /// The order of labels.
    package var order: SortOrder
    /// Whether each target is asked for its free space.
    package var measuresFreeSpace: Bool

    /// Makes a request.
    package init(
        server: ServerSettings, targets: [TargetDefinition], order: SortOrder, measuresFreeSpace: Bool = false
    ) {
        self.server = server
        self.targets = targets
        self.order = order
        self.measuresFreeSpace = measuresFreeSpace
    }
}

/// The order of a list by label.
package enum SortOrder: String, Sendable, Hashable, CaseIterable {
    /// Oldest first.
    case ascending = "asc"
    /// Newest first.
    case descending = "desc"
}

/// A question about a server itself, such as `progress <server>`.
package struct ServerRequest: Sendable {
    /// The server, resolved.
    package var server: ServerSettings

    /// Makes a request.
    package init(server: ServerSettings) { self.server = server }
}

/// `info <server> <identifier>`.
package struct InfoRequest: Sendable {
    /// The server, resolved.
    package var server: ServerSettings
    /// Where to look; at least one.
    package var targets: [TargetDefinition]
    /// The backup.
    package var identifier: BackupIdentifier
}

/// `verify <server> <identifier> [directory] [failed|all]`.
package struct VerifyRequest: Sendable {
    /// Which files the answer lists.
    package enum Detail: String, Sendable, Hashable, CaseIterable {
        /// Those with a fault.
        case failed
        /// Every one.
        case all
    }

    /// The server, resolved.
    package var server: ServerSettings
    /// Where to look; at least one.
    package var targets: [TargetDefinition]
    /// The backup.
    package var identifier: BackupIdentifier
    /// Whether the backups that it builds on are left out.
    package var isThisOnly: Bool
    /// A directory for the report; nil writes none.
    package var directory: String?
    /// Which files the answer lists.
    package var detail: Detail
    /// Whether the stored bytes are compared with their digests alone, and nothing is decoded.
    package var isQuick: Bool
    /// Whether what was found is noted on each target.
    package var isNoted: Bool
    /// Most bytes per second that are read from all targets together; 0 is no limit.
    package var maximumBytesPerSecond = 0

    /// Makes a request.
    package init(
        server: ServerSettings, targets: [TargetDefinition], identifier: BackupIdentifier, isThisOnly: Bool,
        directory: String? = nil, detail: Detail, isQuick: Bool, isNoted: Bool = false
    ) {
        self.server = server
        self.targets = targets
        self.identifier = identifier
        self.isThisOnly = isThisOnly
        self.directory = directory
        self.detail = detail
        self.isQuick = isQuick
        self.isNoted = isNoted
    }
}

/// `restore <server> <identifier> [position] <directory>`.
package struct RestoreRequest: Sendable {
    /// The server, resolved.
    package var server: ServerSettings
    /// Where to look; at least one.
    package var targets: [TargetDefinition]
    /// The backup.
    package var identifier: BackupIdentifier
    /// Where recovery shall end.
    package var position: RestorePosition
    /// The backup goes to `<directory>/<server>-<label>/`.
    package var directory: String
    /// What becomes of what is in that directory.
    package var existing: RestorePlan.Existing
    /// Other places for tablespaces.
    package var tablespaceMappings: [TablespaceMapping]
    /// The targets as `--target` named them, for the command by which PostgreSQL asks for WAL.
    package var targetOption: String?
    /// Whether `directory` is itself the data directory.
    package var isDataDirectory = false
}

/// `archive <server> <identifier> [position] <directory | target | ->`.
package struct ArchiveRequest: Sendable {
    /// Where the tar file goes.
    package enum Destination: Sendable {
        /// A directory of this machine, which is there.
        case directory(TargetDefinition)
        /// Any other place.
        case target(TargetDefinition)
        case standardOutput

        /// Whether what was written cannot be taken back.
        var isStream: Bool { if case .standardOutput = self { true } else { false } }

        /// Where a file of a name is.
        package func path(of name: String) -> String {
            switch self {
            case .directory(let target): target.location.path == "/" ? "/\(name)" : "\(target.location.path)/\(name)"
            case .target(let target): "\(target.location)/\(name)"
            case .standardOutput: "-"
            }
        }
    }

    /// The server, resolved.
    package var server: ServerSettings
    /// Where to look; at least one.
    package var targets: [TargetDefinition]
    /// The backup.
    package var identifier: BackupIdentifier
    /// Where recovery shall end.
    package var position: RestorePosition
    /// Where the tar file goes.
    package var destination: Destination
    /// The compression's name and level; nil for none.
    package var compression: (name: String, level: Int?)?
    /// The encryption's name; nil for none.
    package var encryption: String?
    /// Whether a file of that name is replaced.
    package var isForced: Bool
}

/// `delete <server> <identifier>`.
package struct DeleteRequest: Sendable {
    /// The server, resolved.
    package var server: ServerSettings
    /// Where it is deleted; at least one.
    package var targets: [TargetDefinition]
    /// The backup.
    package var identifier: BackupIdentifier
    /// Whether the backups that build on it go too.
    package var cascades: Bool
    /// Whether kept backups go too.
    package var isForced: Bool
}

/// `annotate`, `retain` and `expunge <server> <identifier>`.
package struct NotesRequest: Sendable {
    /// Which of them it is.
    package var command: CommandName
    /// The server, resolved.
    package var server: ServerSettings
    /// Where it is noted; at least one.
    package var targets: [TargetDefinition]
    /// The backup.
    package var identifier: BackupIdentifier
    /// What is changed.
    package var edit: NotesEdit
    /// Whether it is changed of the backups that the backup builds on, too.
    package var cascades: Bool
}

/// `retention <server>`.
package struct RetentionRequest: Sendable {
    /// The server, resolved, with its policy.
    package var server: ServerSettings
    /// Where it is applied; at least one.
    package var targets: [TargetDefinition]
    /// Whether nothing is deleted.
    package var isDryRun: Bool

    /// Makes a request.
    package init(server: ServerSettings, targets: [TargetDefinition], isDryRun: Bool) {
        self.server = server
        self.targets = targets
        self.isDryRun = isDryRun
    }
}

/// `target check <target>`.
package struct TargetCheckRequest: Sendable {
    /// The target.
    package var target: TargetDefinition
}

/// `copy <server> <identifier> --from <target> --to <target>`.
package struct CopyRequest: Sendable {
    /// The server, resolved.
    package var server: ServerSettings
    /// The target that has the backup.
    package var source: TargetDefinition
    /// The target that is to have it.
    package var destination: TargetDefinition
    /// The backup.
    package var identifier: BackupIdentifier
    /// Whether parents that the destination lacks are copied too.
    package var includesParents: Bool
}
