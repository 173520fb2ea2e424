package import BackupEngine

/// `wal-push <server> <path>`.
package struct WALPushRequest: Sendable {
    /// The server, resolved.
    package var server: ServerSettings
    /// Where the file is archived; at least one.
    package var targets: [TargetDefinition]
    /// The file.
    package var path: String
}

/// A server's WAL, as it is written.
package struct WALReceiveRequest: Sendable {
    /// The server, resolved; it has a slot.
    package var server: ServerSettings
    /// Where its WAL goes; at least one.
    package var targets: [TargetDefinition]
    /// The directory in which WAL waits until every target has it.
    package var spool: String
    /// Most bytes that wait; 0 is no limit.
    package var spoolByteLimit: Int

    /// Makes a request.
    package init(server: ServerSettings, targets: [TargetDefinition], spool: String, spoolByteLimit: Int) {
        self.server = server
        self.targets = targets
        self.spool = spool
        self.spoolByteLimit = spoolByteLimit
    }
}

/// `wal-fetch <server> <file> <path>`.
package struct WALFetchRequest: Sendable {
    /// The server, resolved.
    package var server: ServerSettings
    /// Where to look; at least one.
    package var targets: [TargetDefinition]
    /// The file that is wanted.
    package var name: WALFileName
    /// Where it is written.
    package var path: String
    /// How many segments behind it shall wait in the spool.
    package var aheadCount: Int
    /// The folder in which those of this server have theirs; nil is beside the file.
    package var spoolFolder: String?
    /// For the process that another one started to fetch ahead: the locked file of the spool, which it inherited.
    package var inheritedLock: Int32?
}

/// `wal ls <server>`.
package struct WALListRequest: Sendable {
    /// The server, resolved.
    package var server: ServerSettings
    /// Where to look; at least one.
    package var targets: [TargetDefinition]
}

/// The answer to `wal-push`.
package struct WALPushAnswer: Sendable, Hashable {
    /// The server's name.
    package var server: String
    /// The file's name.
    package var file: String
    /// Bytes of the file.
    package var byteCount: Int
    /// Stored bytes; 0 when it was there already.
    package var storedByteCount: Int
    /// How each target came out.
    package var targets: [TargetOutcome]

    /// Makes an answer.
    package init(
        server: String, file: String, byteCount: Int, storedByteCount: Int, targets: [TargetOutcome]
    ) {
        self.server = server
        self.file = file
        self.byteCount = byteCount
        self.storedByteCount = storedByteCount
        self.targets = targets
    }
}

/// The answer to `wal ls`.
package struct WALListAnswer: Sendable, Hashable {
    /// What the archive on one target has.
    package struct Item: Sendable, Hashable {
        /// The target's name.
        package var target: String
        /// What is there.
        package var inventory: WALInventory

        /// Makes an item.
        package init(target: String, inventory: WALInventory) {
            self.target = target
            self.inventory = inventory
        }
    }

    /// Target by target.
    package var items: [Item]
    /// How each target came out.
    package var targets: [TargetOutcome]

    /// Makes an answer.
    package init(items: [Item], targets: [TargetOutcome]) {
        self.items = items
        self.targets = targets
    }
}
