package import BackupEngine
package import PostgresClient

/// What the engine does for the commands. A command builds a request, calls one method, and writes the answer.
///
/// Errors that end the whole operation are thrown as `Remediable`; what happened on each of several targets is in the answer.
package protocol BackupService: Sendable {
    /// Takes a full backup, or an incremental one on `request.parent`.
    func backup(_ request: BackupRequest, progress: ProgressCounter) async throws -> BackupAnswer
    /// Lists the backups of a server over all of its targets.
    func list(_ request: BackupListRequest) async throws -> BackupListAnswer
    /// Tells how far the base backup is that a server sends at the moment; nil when it sends none.
    func progress(_ request: ServerRequest) async throws -> RunningBaseBackup?
    /// Whether PostgreSQL answers and takes connections.
    func isOnline(_ request: ServerRequest) async throws -> Bool
    /// Describes one backup.
    func info(_ request: InfoRequest) async throws -> BackupAnswer
    /// Reads a backup back and compares every checksum.
    func verify(_ request: VerifyRequest, progress: ProgressCounter) async throws -> VerifyAnswer
    /// Restores a backup and its parents into a directory.
    func restore(_ request: RestoreRequest, progress: ProgressCounter) async throws -> RestoreAnswer
    /// Makes one tar file of a backup and its parents.
    func archive(_ request: ArchiveRequest, progress: ProgressCounter) async throws -> ArchiveAnswer
    /// Deletes a backup from every target that has it.
    func delete(_ request: DeleteRequest) async throws -> DeleteAnswer
    /// Changes the notes about a backup on every target that has it.
    func note(_ request: NotesRequest) async throws -> NotesAnswer
    /// Applies a server's retention policy on each target, or says what it would do.
    func retain(_ request: RetentionRequest) async throws -> RetentionAnswer
    /// Archives a file of PostgreSQL's log on all targets.
    func pushWAL(_ request: WALPushRequest) async throws -> WALPushAnswer
    /// Fetches a file from the WAL archive; false when every target says that it is not there.
    func fetchWAL(_ request: WALFetchRequest) async throws -> Bool
    /// Lists the WAL archive on each target.
    func listWAL(_ request: WALListRequest) async throws -> WALListAnswer
    /// Copies a backup to another target as it is stored.
    func copy(_ request: CopyRequest, progress: ProgressCounter) async throws -> CopyAnswer
    /// Receives the WAL of a server and stores it on every target, until the task is cancelled.
    func receiveWAL(_ request: WALReceiveRequest, progress: ReceiverProgress) async throws
    /// Tells or changes who opens the encrypted backups of each target.
    func keys(_ request: KeyRequest) async throws -> KeyAnswer
    /// Runs the conformance laws on a live target, measures it, and cleans up.
    func checkTarget(_ request: TargetCheckRequest, progress: ProgressCounter) async throws -> TargetCheckAnswer
}

/// What options say to the services as a whole.
package struct ServiceOptions: Sendable, Hashable {
    /// The configuration file that was read; restored clusters name it in their `restore_command`.
    package var configurationPath: String
    /// Where the secret comes from that opens encrypted backups.
    package var masterKeySource: MasterKeySource

    /// Makes options.
    package init(configurationPath: String, masterKeySource: MasterKeySource = .file(nil)) {
        self.configurationPath = configurationPath
        self.masterKeySource = masterKeySource
    }
}
