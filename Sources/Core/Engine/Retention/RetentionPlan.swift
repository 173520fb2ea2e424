/// Decides which backups of a target go: a pure function of what is there, what is wanted, and the time.
package struct RetentionPlan: Sendable {
    /// How long a backup that cannot be restored is left alone: somebody may want to look at it, or bring a parent back.
    package static let graceInSeconds = 7 * 86_400

    /// What is known about a backup.
    package struct Backup: Sendable, Hashable {
        /// Whether its record can be believed.
        package enum Condition: Sendable, Hashable {
            case valid, damaged
            /// Nobody can tell now, for instance because its key is not here. It is left alone, and so is all that it may build on.
            case unknown
        }

        package var label: BackupLabel
        /// The backup that it builds on.
        package var parent: BackupLabel?
        package var condition: Condition
        /// Whether somebody said that it is to be kept.
        package var isKept: Bool
        /// Whether nobody can tell if somebody said so: its notes are there and cannot be believed.
        package var hasUnknownNotes = false
        /// Stored bytes, where they are known.
        package var byteCount: Int
        /// The first segment of the log that it needs, where that is known.
        package var firstWAL: WALFileName?

        package init(
            label: BackupLabel, parent: BackupLabel? = nil, condition: Condition = .valid, isKept: Bool = false,
            byteCount: Int = 0
        ) {
            self.label = label
            self.parent = parent
            self.condition = condition
            self.isKept = isKept
            self.byteCount = byteCount
        }
    }

    /// What becomes of a backup.
    package struct Decision: Sendable, Hashable {
        package var backup: Backup
        package var isKept: Bool
        /// Why; at least one.
        package var reasons: [RetentionReason]
    }

    /// The newest backup that counts as valid, with all that it builds on, newest first; empty when there is none.
    package static func newestWhole(of backups: [Backup]) -> [Backup] {
        let plan = RetentionPlan(backups, RetentionPolicy(), 0)
        var chain = plan.backups.last { plan.condition($0) == .valid }.map { [$0] } ?? []
        while let parent = chain.last?.parent, let next = plan.byLabel[parent] { chain.append(next) }
        return chain
    }

    private let backups: [Backup]
    private let byLabel: [BackupLabel: Backup]
    private let policy: RetentionPolicy
    private let now: Int

    /// Decides about all backups of a server on one target.
    /// - Parameter now: seconds since 1970.
    /// - Returns: a decision about each, oldest first. What a kept backup builds on is kept.
    package static func decide(_ backups: [Backup], policy: RetentionPolicy, now: Int) -> [Decision] {
        RetentionPlan(backups, policy, now).decisions()
    }

    private init(_ backups: [Backup], _ policy: RetentionPolicy, _ now: Int) {
        self.backups = backups.sorted { $0.label < $1.label }
        byLabel = Dictionary(backups.map { ($0.label, $0) }) { $1 }
        self.policy = policy
        self.now = now
    }

    private func decisions() -> [Decision] {
        let whole = backups.filter { condition($0) == .valid }
        var reasons: [BackupLabel: [RetentionReason]] = [:]
        func keep(_ label: BackupLabel, _ reason: RetentionReason) { reasons[label, default: []].append(reason) }

        for period in RetentionPeriod.allCases {
            for (label, bucket) in period.newest(of: whole.map(\.label), count: period.count(policy)) {
                keep(label, .newest(period, bucket))
            }
        }
        // What cannot be restored is not the newest of anything, but what the policy would keep of it may yet be healed by a copy.
        var wanted: Set<BackupLabel> = []
        for period in RetentionPeriod.allCases {
            wanted.formUnion(period.newest(of: backups.map(\.label), count: period.count(policy)).map(\.label))
        }
        for backup in backups {
            if backup.isKept { keep(backup.label, .kept) }
            if backup.hasUnknownNotes { keep(backup.label, .unknownNotes) }
            switch condition(backup) {
            case .valid: break
            case .unknown: keep(backup.label, .unknown)
            case .damaged:
                if whole.isEmpty {
                    keep(backup.label, .nothingValid)
                } else if wanted.contains(backup.label) {
                    keep(backup.label, .wanted)
                } else if now - backup.label.secondsSince1970 < Self.graceInSeconds {
                    keep(backup.label, .grace)
                }
            }
        }
        if let last = whole.last, reasons[last.label] == nil { keep(last.label, .lastValid) }
        // What a record that cannot be read builds on is not known: it may be any older backup.
        if let unknown = backups.last(where: { $0.condition == .unknown }) {
            for backup in backups where backup.label < unknown.label && condition(backup) != .damaged {
                keep(backup.label, .mayBeNeededBy(unknown.label))
            }
        }
        // Children are younger, so a parent is looked at when all reasons of its children are known.
        for backup in backups.reversed() where reasons[backup.label] != nil {
            if let parent = backup.parent, byLabel[parent] != nil { keep(parent, .neededBy(backup.label)) }
        }
        return backups.map { backup in
            guard let found = reasons[backup.label] else {
                return Decision(backup: backup, isKept: false, reasons: [reasonToGo(backup)])
            }
            return Decision(backup: backup, isKept: true, reasons: found)
        }
    }

    /// The condition of a backup with all that it builds on: what lacks a parent cannot be restored.
    private func condition(_ backup: Backup) -> Backup.Condition {
        guard backup.condition == .valid else { return backup.condition }
        var worst = backup.condition
        var current = backup
        while let label = current.parent {
            guard label < current.label, let parent = byLabel[label] else { return .damaged }
            if parent.condition == .damaged { return .damaged }
            if parent.condition == .unknown { worst = .unknown }
            current = parent
        }
        return worst
    }

    private func reasonToGo(_ backup: Backup) -> RetentionReason {
        guard condition(backup) == .damaged else { return .expired }
        return backup.condition == .damaged ? .damaged : .orphaned
    }
}
