package import BackupEngine

/// `key list|add|remove|rotate`.
package struct KeyRequest: Sendable {
    /// What is done.
    package enum Action: Sendable {
        /// Nothing is changed.
        case list
        /// A recipient is added.
        case add(MasterKey, name: String?)
        /// A recipient is taken out, by id or name.
        case remove(String, keepsKey: Bool, leavingOut: [String])
        /// New backups get a new key.
        case rotate(leavingOut: [String])
    }

    /// Which of them it is.
    package var command: CommandName
    /// Where it is done; at least one.
    package var targets: [TargetDefinition]
    /// Whether the user named the targets; else those without encrypted backups are passed over.
    package var areTargetsNamed: Bool
    /// What is done.
    package var action: Action
    /// Where the secrets of further recipients come from.
    package var otherSources: [MasterKeySource]
}

/// The answer to `key list|add|remove|rotate`.
package struct KeyAnswer: Sendable {
    /// Who opens what, by the targets where it could be told.
    package var reports: [(target: String, report: KeyReport)]
    /// How each target came out.
    package var targets: [TargetOutcome]

    /// Makes an answer.
    package init(reports: [(target: String, report: KeyReport)], targets: [TargetOutcome]) {
        self.reports = reports
        self.targets = targets
    }
}

extension BackupReplies {
    /// `key list|add|remove|rotate`.
    package func keys(_ answer: KeyAnswer) -> [String: OutputValue] {
        var keys: [OutputValue] = []
        var recipients: [OutputValue] = []
        for (target, report) in answer.reports {
            keys += report.keys.map { key in
                .object([
                    "Created": .string(CalendarTime(secondsSince1970: key.createdAt).compact),
                    "Current": .bool(key.isCurrent), "Key": .string(key.id),
                    "Recipients": .list(key.recipients.map { .string($0) }), "Target": .string(target),
                ])
            }
            recipients += report.recipients.map { recipient in
                .object([
                    "Keys": .integer(recipient.keyCount), "Kind": .string(recipient.kind),
                    "Name": .string(recipient.name ?? ""), "OpensNew": .bool(recipient.opensCurrent),
                    "Recipient": .string(recipient.id), "Target": .string(target),
                ])
            }
        }
        return [
            "Keys": .list(keys), "Recipients": .list(recipients), "ServerVersion": .string(ProgramVersion.text),
            "Targets": targets(answer.targets),
        ]
    }
}
