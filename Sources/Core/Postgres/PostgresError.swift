/// Why something could not be done with a PostgreSQL server.
package struct PostgresError: Error, Sendable, Hashable {
    /// The kinds of fault.
    package enum Reason: String, Sendable, Hashable, CaseIterable {
        /// No server answers at that address.
        case connectionRefused = "connection-refused"
        /// The host's name is not known.
        case noSuchHost = "no-such-host"
        /// No secure connection could be agreed on.
        case tls
        /// The connection settings contradict themselves, or name what is not there.
        case settings
        /// The server did not accept user and password.
        case authenticationFailed = "authentication-failed"
        /// The database does not exist.
        case noSuchDatabase = "no-such-database"
        /// The role lacks a right.
        case permission
        /// The server is starting up, shutting down or recovering, and takes no sessions yet.
        case serverStarting = "server-starting"
        /// All sessions, or all WAL senders, are taken.
        case tooManyConnections = "too-many-connections"
        /// Nothing came within the time limit.
        case timedOut = "timed-out"
        /// The connection ended in the middle.
        case connectionLost = "connection-lost"
        /// `wal_level` is too low for backups.
        case walLevel = "wal-level"
        /// The replication slot is used by somebody else, or exists already.
        case slotInUse = "slot-in-use"
        /// The server has no replication slot to spare.
        case noSlots = "no-slots"
        /// The server has removed the WAL that was asked for.
        case walGone = "wal-gone"
        /// The server has no WAL summaries for an incremental backup.
        case summariesMissing = "summaries-missing"
        /// The parent of an incremental backup is not of this server's history.
        case parentUnfit = "parent-unfit"
        /// The server found damaged pages while it made the backup.
        case damagedPages = "damaged-pages"
        /// The server gave up the backup.
        case backupFailed = "backup-failed"
        /// The server's version is too old.
        case unsupportedVersion = "unsupported-version"
        /// The server said what its version never says.
        case `protocol`
        /// The operation was cancelled here.
        case cancelled
        /// Another error of the server; see `sqlState`.
        case other
    }

    /// What was being done.
    package enum Operation: String, Sendable, Hashable, CaseIterable {
        case connect, query, identify, show, createSlot, timelineHistory, backup, manifest, wal, check
    }

    /// The kind of fault.
    package let reason: Reason
    /// What was being done.
    package let operation: Operation
    /// The server in words; empty when it does not matter.
    package let server: String
    /// The server's or libpq's words in one line; never a secret.
    package let detail: String?
    /// The error code of PostgreSQL (appendix "PostgreSQL Error Codes"), where the server sent one.
    package let sqlState: String?
    private let specificRemedy: String?

    /// Makes an error.
    /// - Parameter remedy: what to do, where the standard words for the reason are not precise enough.
    package init(
        _ reason: Reason, _ operation: Operation, server: String, detail: String? = nil, sqlState: String? = nil,
        remedy: String? = nil
    ) {
        self.reason = reason
        self.operation = operation
        self.server = server
        self.detail = detail
        self.sqlState = sqlState
        specificRemedy = remedy
    }

    /// A stable name for scripts, such as `postgres-wal-gone`.
    package var code: String { "postgres-\(reason.rawValue)" }

    /// What to type, check or change.
    package var remedy: String { specificRemedy ?? standardRemedy }

    /// Whether the same call may succeed later without anybody changing something.
    package var mayRetry: Bool {
        switch reason {
        case .connectionRefused, .serverStarting, .tooManyConnections, .timedOut, .connectionLost, .slotInUse: true
        default: false
        }
    }
}
