package import BackupAPI

/// The answer to `verify`.
package struct VerifyAnswer: Sendable, Hashable {
    /// One file that was looked at.
    package struct File: Sendable, Hashable {
        /// The target it is on.
        package var target: String
        /// The label of the backup that it belongs to: the one that was asked for, or one of its parents.
        package var label: String
        /// The folder inside the backup.
        package var directory: String
        /// Its name.
        package var fileName: String
        /// The checksum's name, such as `SHA512`.
        package var algorithm: String
        /// What the checksum must be; empty where the file should not be there.
        package var original: String
        /// What it is; empty where the file is not there or cannot be read.
        package var calculated: String

        /// Makes a file.
        package init(
            target: String, label: String, directory: String, fileName: String, algorithm: String, original: String,
            calculated: String
        ) {
            self.target = target
            self.label = label
            self.directory = directory
            self.fileName = fileName
            self.algorithm = algorithm
            self.original = original
            self.calculated = calculated
        }
    }

    /// The server.
    package var server: ServerIdentity
    /// The label that was verified.
    package var label: String
    /// How many files were looked at.
    package var checkedFileCount: Int
    /// Those with a fault.
    package var failed: [File]
    /// All of them, where they were asked for.
    package var all: [File]?
    /// How each target came out.
    package var targets: [TargetOutcome]

    /// Makes an answer.
    package init(
        server: ServerIdentity, label: String, checkedFileCount: Int, failed: [File], all: [File]? = nil,
        targets: [TargetOutcome]
    ) {
        self.targets = targets
        self.server = server
        self.label = label
        self.checkedFileCount = checkedFileCount
        self.failed = failed
        self.all = all
    }
}

/// The answer to `target check`.
package struct TargetCheckAnswer: Sendable, Hashable {
    /// One law that was tried.
    package struct Check: Sendable, Hashable {
        /// The law's name, such as `commit-is-atomic`.
        package var law: String
        /// What was seen instead; nil when it was kept.
        package var fault: String?

        /// Makes a check.
        package init(law: String, fault: String? = nil) {
            self.law = law
            self.fault = fault
        }
    }

    /// The target.
    package var target: String
    /// Where it is.
    package var location: String
    /// In the order they were tried.
    package var checks: [Check]
    /// The median time of a small call, in microseconds; nil when it was not measured.
    package var latencyMicroseconds: Int?
    /// Bytes per second; nil when they were not measured.
    package var writeBytesPerSecond: Int?
    package var readBytesPerSecond: Int?
    /// By how many seconds the clock of the place is ahead of this machine's; nil when it shows none.
    package var clockSkewSeconds: Int?
    /// What the place can do, with what the backend says about it.
    package var capabilities: Capabilities
    /// Free room in bytes; nil when the place does not tell.
    package var freeByteCount: Int?

    /// Makes an answer without measurements.
    package init(target: String, location: String, checks: [Check], capabilities: Capabilities) {
        self.target = target
        self.location = location
        self.checks = checks
        self.capabilities = capabilities
    }
}
