/// Why a backup is kept or goes.
package enum RetentionReason: Sendable, Hashable, CustomStringConvertible {
    /// It is the newest one of a day, week, month or year that the policy keeps.
    case newest(RetentionPeriod, String)
    /// Somebody said so.
    case kept
    /// A backup that is kept builds on it.
    case neededBy(BackupLabel)
    /// A backup whose record cannot be read may build on it.
    case mayBeNeededBy(BackupLabel)
    /// Its notes cannot be believed: somebody may have said that it is to be kept.
    case unknownNotes
    /// There is no newer one that can be restored.
    case lastValid
    /// It cannot be restored, and is not old enough to go for that.
    case grace
    /// It cannot be restored as it is here, but the policy would keep it.
    case wanted
    /// No backup can be restored as it is here, so none is given up.
    case nothingValid
    /// Nobody can tell what it is.
    case unknown
    /// Nothing keeps it.
    case expired
    /// Its record is damaged.
    case damaged
    /// What it builds on is not there, or damaged.
    case orphaned

    package var description: String {
        switch self {
        case .newest(let period, let bucket): "newest of the \(period.rawValue) \(bucket)"
        case .kept: "kept"
        case .neededBy(let label): "needed by \(label)"
        case .mayBeNeededBy(let label): "may be needed by \(label), which cannot be read now"
        case .unknownNotes: "its notes cannot be read now"
        case .lastValid: "the last valid backup"
        case .grace: "not valid, for less than 7 days"
        case .wanted: "not valid, but of a span that the policy keeps"
        case .nothingValid: "not valid, as no other one is"
        case .unknown: "cannot be read now"
        case .expired: "not kept by the policy"
        case .damaged: "not valid"
        case .orphaned: "its parent is missing or not valid"
        }
    }
}

/// A span of the calendar (UTC) of which the newest backup is kept.
package enum RetentionPeriod: String, Sendable, Hashable, CaseIterable {
    case day, week, month, year

    /// How many a policy keeps.
    func count(_ policy: RetentionPolicy) -> Int {
        switch self {
        case .day: policy.days ?? 0
        case .week: policy.weeks ?? 0
        case .month: policy.months ?? 0
        case .year: policy.years ?? 0
        }
    }

    /// The newest label of each of the last so many spans that have one, with the name of the span.
    ///
    /// Spans without a backup do not count: when backups stop, retention does not take away what there is.
    /// - Parameter labels: oldest first.
    func newest(of labels: [BackupLabel], count: Int) -> [(label: BackupLabel, bucket: String)] {
        var found: [(label: BackupLabel, bucket: String)] = []
        for label in labels.reversed() where found.count < count {
            let bucket = name(label)
            if found.last?.bucket != bucket { found.append((label, bucket)) }
        }
        return found
    }

    /// The span that a label is in; a week by its Monday.
    private func name(_ label: BackupLabel) -> String {
        let seconds = label.secondsSince1970
        // The first of January 1970 was a Thursday.
        let sinceMonday = self == .week ? (seconds / 86_400 + 3) % 7 : 0
        let date = CalendarTime(secondsSince1970: seconds - sinceMonday * 86_400).compact
        let parts = [date.prefix(4), date.dropFirst(4).prefix(2), date.dropFirst(6).prefix(2)]
        let partCount =
            switch self {
            case .day, .week: 3
            case .month: 2
            case .year: 1
            }
        return parts.prefix(partCount).joined(separator: "-")
    }
}
