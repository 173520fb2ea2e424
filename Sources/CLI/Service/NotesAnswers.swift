package import BackupEngine

/// The answer to `annotate`, `retain` and `expunge`.
package struct NotesAnswer: Sendable, Hashable {
    /// The backup that was asked for, with its notes, and with what became of it on each target.
    package var summary: BackupSummary
    /// The labels of all backups that the change is about, parents first.
    package var labels: [String]

    /// Makes an answer.
    package init(_ summary: BackupSummary, labels: [String]) {
        self.summary = summary
        self.labels = labels
    }
}

/// The answer to `retention`.
package struct RetentionAnswer: Sendable, Hashable {
    /// A decision about a backup on one target.
    package struct Item: Sendable, Hashable {
        /// The target's name.
        package var target: String
        /// What was decided.
        package var decision: RetentionPlan.Decision

        /// Makes an item.
        package init(target: String, decision: RetentionPlan.Decision) {
            self.target = target
            self.decision = decision
        }
    }

    /// What of the WAL archive on one target goes.
    package struct WALItem: Sendable, Hashable {
        /// The target's name.
        package var target: String
        /// What goes.
        package var expired: ExpiredWAL

        /// Makes an item.
        package init(target: String, expired: ExpiredWAL) {
            self.target = target
            self.expired = expired
        }
    }

    /// Target by target, oldest first.
    package var items: [Item]
    /// Target by target.
    package var wal: [WALItem]
    /// How each target came out.
    package var targets: [TargetOutcome]

    /// Makes an answer.
    package init(items: [Item], wal: [WALItem], targets: [TargetOutcome]) {
        self.items = items
        self.wal = wal
        self.targets = targets
    }
}
