/// Where a recovery shall end and what happens then: the comma list of `restore` and `archive`.
package struct RestorePosition: Sendable, Hashable {
    /// What recovery aims for; at most one.
    package enum Target: Sendable, Hashable {
        /// The end of all WAL that there is.
        case current
        /// As soon as the backup is consistent.
        case immediate
        /// A named restore point.
        case name(String)
        /// A transaction.
        case transaction(UInt64)
        /// A place in the WAL.
        case lsn(UInt64)
        /// A moment.
        case time(RecoveryTime)
    }

    /// The timeline to follow.
    package enum Timeline: Sendable, Hashable {
        /// The newest that the WAL archive knows.
        case latest
        /// The one of the backup.
        case current
        case number(UInt32)
    }

    /// What PostgreSQL does when the target is reached.
    package enum Action: String, Sendable, Hashable, CaseIterable {
        case pause, promote, shutdown
    }

    /// What the restored directory becomes.
    package enum Role: String, Sendable, Hashable, CaseIterable {
        case primary, replica
    }

    /// nil restores to the backup's own end point.
    package var target: Target?
    /// Whether the target itself is included; nil leaves it to PostgreSQL.
    package var isInclusive: Bool?
    /// nil leaves it to PostgreSQL.
    package var timeline: Timeline?
    /// nil leaves it to PostgreSQL.
    package var action: Action?
    /// `primary` where it is not said.
    package var role: Role = .primary

    /// The backup's own end point, as a primary.
    package init() {}
}
